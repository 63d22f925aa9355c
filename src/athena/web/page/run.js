// Running the place: accounts, tokens, tasks, hooks, figures, settings. For administrators.
import { call, get } from "./api.js";
import { bars, ranking } from "./chart.js";
import { button, dialog, field, fill, h, say, select } from "./dom.js";
import { t, why } from "./words.js";

const TABS = ["figures", "accounts", "tokens", "tasks", "hooks", "settings"];
const RULES = ["BestWaitIdle", "Random", "Weight", "Polling"];

export class Run {
  constructor() {
    this.tab = "figures";
    this.element = h("section", { class: "run", "aria-label": t("run") });
  }

  async show(tab = this.tab) {
    this.tab = TABS.includes(tab) ? tab : "figures";
    clearInterval(this.timer);
    this.body = h("div", { class: "body", "aria-live": "off" }, h("p", { class: "hint" }, t("loading")));
    fill(this.element, h("nav", { class: "tabs", "aria-label": t("run") }, TABS.map((name) =>
      h("a", { class: "tab", href: `#run/${name}`, "aria-current": name === this.tab ? "page" : undefined }, t(name)))), this.body);
    this.element.querySelector("[aria-current]").scrollIntoView({ block: "nearest", inline: "center" });
    await this.draw();
    if (["figures", "accounts"].includes(this.tab)) this.timer = setInterval(() => this.draw(), 5000);
  }

  hide() {
    clearInterval(this.timer);
  }

  async draw() {
    const tab = this.tab;
    try {
      const drawn = await this[tab]();
      const writes = document.activeElement?.matches("input, select, textarea") && this.body.contains(document.activeElement);
      if (tab === this.tab && !writes) fill(this.body, drawn);
    } catch (error) {
      if (tab === this.tab) fill(this.body, h("p", { class: "fault", role: "alert" }, error.status === 403 ? t("readOnly") : why(error)));
      this.hide();
    }
  }

  async act(work, done = t("saved")) {
    try {
      const said = await work();
      if (said?.code && said.code !== 1) throw Object.assign(new Error(said.description), { status: 200 });
      if (done) say(done, "good");
      document.activeElement?.blur();
      await this.draw();
      return said;
    } catch (error) {
      say(why(error), "bad");
      return null;
    }
  }

  async figures() {
    const found = await get("mj/stats?hours=24");
    const made = found.hours.reduce((sum, each) => sum + each.made, 0);
    const failed = found.hours.reduce((sum, each) => sum + each.failed, 0);
    const seconds = (value) => value === null ? "–" : t("seconds", { n: value.toFixed(value < 10 ? 1 : 0) });
    const figure = (name, value) => h("div", { class: "figure" }, h("b", {}, value), h("span", {}, t(name)));
    return [h("div", { class: "figures" }, figure("tasks", String(found.hours.reduce((sum, e) => sum + e.made + e.failed + e.other, 0))),
      figure("rate", made + failed ? `${Math.round(made / (made + failed) * 100)} %` : "–"),
      figure("median", seconds(found.median)), figure("slowest", seconds(found.slowest))),
      h("h2", {}, t("perHour")), bars(found.hours), h("h2", {}, t("failures")),
      Object.keys(found.reasons).length ? ranking(found.reasons) : h("p", { class: "hint" }, t("noFailures"))];
  }

  async accounts() {
    const found = await get("mj/account/list");
    const cards = found.map((each) => this.account(each));
    return [h("div", { class: "row end" }, button(t("add"), () => this.editAccount(), { kind: "primary", sign: "plus" })),
      cards.length ? h("div", { class: "cards" }, cards) : h("p", { class: "hint" }, t("noAccounts"))];
  }

  account(each) {
    const { plan, fastTimeLeft: left, fastTimeTotal: total, jobMode } = each.properties;
    const path = `mj/account/${each.id}`;
    const rows = [["plan", plan], ["hours", left !== null && left !== undefined ? `${left} / ${total ?? "–"}` : null], ["mode", jobMode],
      ["slots", `${each.runningCount} / ${each.coreSize}`], ["queue", `${each.queueCount} / ${each.queueSize}`]];
    return h("article", { class: `account ${each.state}` }, h("h3", {}, each.remark || each.id, h("span", { class: "badge" }, each.state)),
      each.disabledReason && h("p", { class: "fault" }, each.disabledReason),
      h("dl", {}, rows.filter(([, value]) => value).map(([name, value]) => [h("dt", {}, t(name)), h("dd", {}, value)])),
      h("div", { class: "row" },
        button(t(each.enable ? "disable" : "enable"), () => this.act(() => call("PUT", `${path}/update`, { enable: !each.enable })), { kind: "quiet" }),
        button(t("sync"), () => this.act(() => call("POST", `${path}/sync-info`, {})), { kind: "quiet" }),
        button(t("reconnect"), () => this.act(() => call("POST", `${path}/reconnect`, {})), { kind: "quiet" }),
        button(t("edit"), () => this.editAccount(each), { kind: "quiet" }),
        button(t("delete"), () => confirm(t("reallyDelete", { name: each.remark || each.id })) && this.act(() => call("DELETE", `${path}/delete`)), { kind: "quiet danger" })));
  }

  editAccount(known = null) {
    const entry = (value = "", more = {}) => h("input", { value: value ?? "", autocomplete: "off", ...more });
    const controls = { guildId: entry(known?.guildId, { required: true, inputMode: "numeric" }), channelId: entry(known?.channelId, { required: true, inputMode: "numeric", disabled: Boolean(known) }),
      userToken: entry("", { type: "password", required: !known }), remark: entry(known?.remark), coreSize: entry(known?.coreSize ?? 3, { type: "number", min: 1, max: 15 }),
      queueSize: entry(known?.queueSize ?? 10, { type: "number", min: 0 }), weight: entry(known?.weight ?? 1, { type: "number", min: 1 }) };
    const hints = { guildId: t("guildHint"), channelId: t("channelHint"), userToken: known ? t("leaveEmpty") : t("tokenWhere") };
    const fault = h("p", { class: "fault", role: "alert" });
    const go = button(t("save"), () => {}, { kind: "primary" });
    go.type = "submit";
    const form = h("form", { onsubmit: async (event) => {
      event.preventDefault();
      const body = {};
      for (const [name, control] of Object.entries(controls)) if (!control.disabled && control.value !== "") body[name] = control.type === "number" ? Number(control.value) : control.value.trim();
      try {
        const said = known ? await call("PUT", `mj/account/${known.id}/update`, body) : await call("POST", "mj/account/create", body);
        if (said.code !== 1) throw Object.assign(new Error(said.description), { status: 200 });
        box.close();
        say(t("saved"), "good");
        this.draw();
      } catch (error) { fault.textContent = why(error); }
    } }, Object.entries(controls).map(([name, control]) => field(t(name), control, hints[name])), fault, h("div", { class: "row end" }, go));
    const box = dialog(t(known ? "edit" : "add"), t("close"), form);
  }

  async tokens() {
    const found = await get("mj/token/list");
    const date = (moment) => moment ? new Date(moment).toLocaleDateString() : t("never");
    return [h("div", { class: "row end" }, button(t("makeToken"), () => this.makeToken(), { kind: "primary", sign: "plus" })),
      table([t("name"), t("roleOf"), t("speed"), t("perMinute"), t("perDay"), t("used"), t("expires"), ""], found.map((each) =>
        [each.name, t(each.role.toLowerCase()), each.speed ?? "–", each.rate ?? "–", each.dailyLimit ?? "–", each.usedToday, date(each.expiresAt),
          button(t("delete"), () => confirm(t("reallyDelete", { name: each.name })) && this.act(() => call("DELETE", `mj/token/${each.id}/delete`)), { kind: "quiet danger" })]))];
  }

  makeToken() {
    const name = h("input", { required: true }), rate = h("input", { type: "number", min: 1 }), day = h("input", { type: "number", min: 1 });
    let role = "user";
    const go = button(t("makeToken"), () => {}, { kind: "primary" });
    go.type = "submit";
    const form = h("form", { onsubmit: async (event) => {
      event.preventDefault();
      const body = { name: name.value, role, ...(rate.value ? { rate: Number(rate.value) } : {}), ...(day.value ? { dailyLimit: Number(day.value) } : {}) };
      const said = await this.act(() => call("POST", "mj/token/create", body), "");
      if (said) fill(form, h("p", {}, t("shownOnce")), h("input", { readOnly: true, value: said.result, "aria-label": t("token"), onfocus: (each) => each.target.select() }));
    } }, field(t("name"), name), field(t("roleOf"), select([["user", t("user")], ["reader", t("reader")], ["admin", t("admin")]], role, (value) => { role = value; })),
      field(t("perMinute"), rate), field(t("perDay"), day), h("div", { class: "row end" }, go));
    dialog(t("makeToken"), t("close"), form);
  }

  async tasks() {
    const list = h("div", {});
    const accounts = await get("mj/account/list");
    const names = new Map(accounts.map((each) => [each.id, each.remark || each.id]));
    const look = async () => {
      const wish = new URLSearchParams({ size: "100", ...(words.value ? { text: words.value } : {}), ...(states.value ? { status: states.value } : {}) });
      const { tasks } = await get(`mj/task/search?${wish}`);
      fill(list, table([t("asked"), t("state"), t("asks"), t("account"), t("reason")], tasks.map((each) => [
        new Date(each.submitTime).toLocaleString(), t(each.status), h("a", { href: `#task/${each.id}` }, each.prompt ?? each.description),
        names.get(each.properties.discordInstanceId) ?? each.properties.discordInstanceId, each.failReason ?? ""])));
    };
    const words = h("input", { type: "search", onchange: look });
    const states = select([["", t("anyState")], ...["IN_PROGRESS", "SUCCESS", "FAILURE", "CANCEL", "MODAL"].map((each) => [each, t(each)])], "", look);
    await look();
    return [h("div", { class: "filters" }, field(t("search"), words), field(t("state"), states)), list];
  }

  async hooks() {
    const found = await get("mj/hook/list");
    if (!found.length) return h("p", { class: "hint" }, t("noHooks"));
    return table([t("tasks"), t("hook"), t("answer"), t("tries"), ""], found.map(({ task, delivery }) => [
      h("a", { href: `#task/${task}` }, task), delivery.url ?? "", delivery.lastError ?? delivery.lastAnswer ?? "–", delivery.tries,
      button(t("sendAgain"), () => this.act(() => call("POST", `mj/hook/${task}/send`, {})), { kind: "quiet" })]));
  }

  async settings() {
    const found = await get("mj/settings");
    const rule = select(RULES.map((each) => [each, t(`rule-${each}`)]), found.rule, () => {});
    const links = select(["origin", "relay", "proxy"].map((each) => [each, t(`links-${each}`)]), found.links, () => {});
    const banned = h("textarea", { rows: 10, value: found.bannedWords });
    const go = button(t("save"), () => {}, { kind: "primary" });
    go.type = "submit";
    return h("form", { class: "paper", onsubmit: (event) => {
      event.preventDefault();
      this.act(() => call("PUT", "mj/settings", { rule: rule.value, links: links.value, bannedWords: banned.value }));
    } }, field(t("rule"), rule), field(t("links"), links, t("linksHint")), field(t("banned"), banned, t("bannedHint")), h("div", { class: "row end" }, go));
  }
}

function table(heads, lines) {
  return h("div", { class: "scroll", tabIndex: 0, role: "region", "aria-label": heads.filter(Boolean).join(", ") }, h("table", { role: "table" },
    h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, heads.map((each) => h("th", { scope: "col", role: "columnheader" }, each)))),
    h("tbody", { role: "rowgroup" }, lines.map((line) => h("tr", { role: "row" }, line.map((each, place) => h("td", { role: "cell", data: { head: heads[place] } }, each)))))));
}
