// One task, large: its picture and tiles, its buttons by what they do, its windows, its family.
import { ApiError, call, get, picture, submit } from "./api.js";
import { button, dialog, field, fill, h, say } from "./dom.js";
import { Mask } from "./mask.js";
import { set } from "./prompt.js";
import { ENDS } from "./tasks.js";
import { t, why } from "./words.js";

const GROUPS = [
  ["upscale", /^MJ::JOB::(upsample|video_virtual_upscale)/],
  ["vary", /^MJ::(JOB::(variation|low_variation|high_variation|reroll)|Inpaint)/],
  ["zoom", /^MJ::(Outpaint|CustomZoom)/],
  ["pan", /^MJ::JOB::pan_/],
  ["animate", /^MJ::JOB::animate_/],
];
const IDS = /\b\d{16}\b/g;

export class Viewer {
  constructor(tasks, create, closed) {
    this.tasks = tasks;
    this.create = create;
    this.closed = closed;
    tasks.addEventListener("task", ({ detail }) => {
      if (detail.id === this.id) this.draw(detail);
      else if (this.id && detail.description.includes(this.id)) this.family(this.task);
    });
  }

  async open(id) {
    this.id = id;
    this.tile = 0;
    let task = this.tasks.byId.get(id);
    if (!task) task = await get(`mj/task/${id}/fetch`).catch((error) => { say(why(error), "bad"); return null; });
    if (!task) { this.closed(); return; }
    if (!this.element) {
      this.element = h("dialog", { class: "viewer", "aria-label": t("details"), onkeydown: (event) => this.key(event) });
      this.element.addEventListener("close", () => { this.id = null; this.closed(); });
      document.body.append(this.element);
    }
    if (!this.element.open) this.element.showModal();
    this.draw(task);
    this.family(task);
  }

  close() {
    this.element?.close();
  }

  key(event) {
    if (event.target.closest("textarea, input, select, dialog.dialog")) return;
    if (event.key === "ArrowLeft") this.step(-1);
    if (event.key === "ArrowRight") this.step(1);
    if ("01234".includes(event.key) && this.isGrid) { this.tile = Number(event.key); this.draw(this.task); }
  }

  step(by) {
    const at = this.tasks.order.indexOf(this.id);
    const next = this.tasks.order[at + by];
    if (next) location.hash = `task/${next}`;
  }

  draw(task) {
    this.task = task;
    this.isGrid = Boolean(task.properties.tileUrls);
    const held = this.element.contains(document.activeElement) ? document.activeElement?.dataset?.hold : null;
    const strip = this.strip ?? h("div", { class: "family" });
    this.strip = strip;
    fill(this.element,
      h("header", { class: "row" }, h("h2", {}, `${t(task.status)} ${ENDS.has(task.status) ? "" : task.progress}`),
        button(t("back"), () => this.step(-1), { kind: "bare", sign: "left", hidden: true, data: { hold: "back" } }),
        button(t("next"), () => this.step(1), { kind: "bare", sign: "right", hidden: true, data: { hold: "next" } }),
        button(t("close"), () => this.close(), { kind: "bare", sign: "close", hidden: true, data: { hold: "close" } })),
      h("div", { class: "stage" }, this.picture(task), this.tiles(task)),
      h("div", { class: "side" }, this.words(task), this.acts(task), this.buttons(task), strip, this.facts(task)));
    if (held) this.element.querySelector(`[data-hold="${held}"]`)?.focus();
  }

  picture(task) {
    if (!task.imageUrl) return h("p", { class: "blank" }, task.failReason ? t("failedWhy", { text: task.failReason }) : t(task.status));
    return h("img", { src: picture(task, { tile: this.tile }), alt: task.prompt ?? "", class: "whole" });
  }

  tiles(task) {
    if (!this.isGrid) return null;
    return h("div", { class: "tiles", role: "radiogroup", "aria-label": t("pictures") }, [0, 1, 2, 3, 4].map((number) =>
      h("button", { type: "button", class: "chip", role: "radio", "aria-checked": String(number === this.tile), data: { hold: `tile-${number}` },
        onclick: () => { this.tile = number; this.draw(task); } }, number ? String(number) : t("whole"))));
  }

  words(task) {
    const words = task.properties.finalPrompt;
    const told = ["DESCRIBE", "SHORTEN"].includes(task.action) && words;
    return h("div", { class: "words" }, h("p", {}, task.prompt ?? task.description), told && h("pre", {}, words),
      task.failReason && h("p", { class: "fault", role: "alert" }, t("failedWhy", { text: task.failReason })));
  }

  acts(task) {
    const done = task.status === "SUCCESS";
    const prompt = task.prompt ?? task.properties.finalPrompt ?? "";
    return h("div", { class: "row acts" },
      prompt && button(t("copyPrompt"), () => copy(prompt), { kind: "quiet", sign: "copy" }),
      prompt && !this.reads && button(t("reuse"), () => { this.close(); this.create.use(prompt); }, { kind: "quiet", sign: "plus" }),
      done && task.properties.messageHash && button(t("copySeed"), () => this.seed(task), { kind: "quiet", sign: "seed" }),
      task.imageUrl && done && h("a", { class: "button quiet", href: picture(task, { tile: this.tile }), download: `${task.id}${this.tile ? `-${this.tile}` : ""}.${task.properties.videoUrls ? "webp" : "png"}` }, t("download")),
      this.isGrid && button(t("downloadTiles"), () => this.downloadAll(task), { kind: "quiet", sign: "down" }),
      !this.reads && !ENDS.has(task.status) && button(t("cancelTask"), () => this.cancel(task), { kind: "quiet danger" }),
      !this.reads && ENDS.has(task.status) && button(t("forget"), () => this.forget(task), { kind: "quiet danger", sign: "trash" }));
  }

  buttons(task) {
    if (this.reads || task.status !== "SUCCESS" || !task.buttons.length) return null;
    const left = new Set(task.buttons.filter((each) => !/BOOKMARK/.test(each.customId)));
    const rows = GROUPS.map(([name, form]) => [name, [...left].filter((each) => form.test(each.customId))]);
    for (const [, some] of rows) for (const each of some) left.delete(each);
    rows.push(["other", [...left]]);
    return h("div", { class: "groups" }, rows.filter(([, some]) => some.length).map(([name, some]) =>
      h("div", { class: "group", role: "group", "aria-label": t(name) }, h("h3", {}, t(name)), h("div", { class: "row" },
        some.map((each) => button(named(each), (event) => this.press(task, each, event.currentTarget), { kind: "chip" }))))));
  }

  async press(task, pressed, element) {
    element.disabled = true;
    try {
      const said = await submit("submit/action", { taskId: task.id, customId: pressed.customId });
      if (said.code === 21) this.window(task, pressed, said);
      else say(said.code === 22 ? t("queued", { n: said.properties.numberOfQueues }) : t("taken"), "good", [t("details"), () => { location.hash = `task/${said.result}`; }]);
    } catch (error) {
      say(why(error), "bad");
    } finally {
      element.disabled = false;
    }
  }

  // The window that a button opened: a prompt, a zoom, or a region.
  window(task, pressed, said) {
    const zooms = /CustomZoom/.test(pressed.customId), region = /Inpaint/.test(pressed.customId);
    const proposal = said.properties.finalPrompt ?? task.properties.finalPrompt ?? "";
    const text = h("textarea", { rows: 3, value: region ? task.prompt ?? "" : proposal });
    const fault = h("p", { class: "fault", role: "alert" });
    const mask = region && new Mask(picture(task), task.imageWidth, task.imageHeight);
    const go = button(t("send"), () => {}, { kind: "primary" });
    go.type = "submit";
    let sent = false;
    const form = h("form", { onsubmit: async (event) => {
      event.preventDefault();
      if (mask && mask.isEmpty) { fault.textContent = t("maskEmpty"); return; }
      go.disabled = true;
      try {
        const body = { taskId: said.result, prompt: text.value, ...(mask ? { maskBase64: mask.picture() } : {}) };
        const answer = await submit("submit/modal", body);
        sent = true;
        box.close();
        say(t("taken"), "good", [t("details"), () => { location.hash = `task/${answer.result}`; }]);
      } catch (error) {
        fault.textContent = why(error);
      } finally {
        go.disabled = false;
      }
    } }, mask && mask.element, zooms && zoomer(text), field(region ? t("regionPrompt") : t("imagine"), text), fault, h("div", { class: "row end" }, go));
    const title = region ? t("regionTitle") : zooms ? t("zoomTitle") : t("remixTitle");
    const box = dialog(title, t("close"), form);
    box.addEventListener("close", () => { if (!sent) this.dismiss(said.result); });
  }

  // A window that was closed again: nobody wants its task.
  async dismiss(id) {
    try {
      await call("POST", `mj/task/${id}/cancel`, {});
      await call("DELETE", `mj/task/${id}`);
      this.tasks.forget(id);
    } catch { /* it stays in the list, cancelled */ }
  }

  async seed(task) {
    say(t("askingSeed"));
    try {
      const said = await get(`mj/task/${task.id}/image-seed`);
      if (said.code !== 1) throw new ApiError(said.description, said.code, 200);
      copy(said.result);
    } catch (error) { say(why(error), "bad"); }
  }

  downloadAll(task) {
    for (const tile of [1, 2, 3, 4]) h("a", { href: picture(task, { tile }), download: `${task.id}-${tile}.png` }).click();
  }

  async cancel(task) {
    try { this.tasks.apply(await call("POST", `mj/task/${task.id}/cancel`, {})); } catch (error) { say(why(error), "bad"); }
  }

  async forget(task) {
    try {
      await call("DELETE", `mj/task/${task.id}`);
      this.close();
      this.tasks.forget(task.id);
    } catch (error) { say(why(error), "bad"); }
  }

  // Whose picture it was made of, and what was made of it.
  async family(task) {
    if (this.kinOf !== task.id) { this.kin = []; fill(this.strip); }
    this.kinOf = task.id;
    const parents = [...new Set((task.description.match(IDS) ?? []).filter((id) => id !== task.id))];
    const [made, came] = await Promise.all([
      get(`mj/task/search?text=${task.id}&size=50`).catch(() => ({ tasks: [] })),
      Promise.all(parents.map((id) => get(`mj/task/${id}/fetch`).catch(() => null))),
    ]);
    if (this.id !== task.id) return;
    const children = made.tasks.filter((each) => each.id !== task.id && each.description.includes(task.id));
    const all = [...came.filter(Boolean).map((each) => [each, "parent"]), ...children.map((each) => [each, "child"])];
    if (!all.length) return;
    // A link that is there stays the same element, so nobody clicks on one that has just gone.
    const known = new Map(this.kin.map((link) => [link.dataset.id, link]));
    const links = all.map(([each, kind]) => fill(
      known.get(each.id) ?? h("a", { href: `#task/${each.id}`, class: kind, data: { id: each.id }, "aria-label": `${t(kind)} ${each.prompt ?? each.description}` }),
      each.imageUrl ? h("img", { src: picture(each, { width: 160 }), alt: "" }) : h("span", {}, t(each.status)), h("small", {}, t(kind))));
    const same = links.length === this.kin.length && links.every((link, place) => link === this.kin[place]);
    this.kin = links;
    if (!same) fill(this.strip, h("h3", {}, t("lineage")), h("div", { class: "strip" }, links));
  }

  facts(task) {
    const took = task.finishTime ? t("seconds", { n: Math.round((task.finishTime - task.submitTime) / 100) / 10 }) : "";
    const rows = [["asDrawn", task.properties.finalPrompt !== task.prompt && task.properties.finalPrompt], ["asked", new Date(task.submitTime).toLocaleString()],
      ["took", took], ["mode", task.properties.mode], ["seed", task.properties.imageSeed], ["account", task.properties.discordInstanceId], ["job", task.properties.messageHash]];
    return h("details", { class: "facts" }, h("summary", {}, t("details")), h("dl", {}, rows.filter(([, value]) => value).map(([name, value]) => [h("dt", {}, t(name)), h("dd", {}, String(value))])));
  }
}

function zoomer(text) {
  const label = h("span", {});
  const slider = h("input", { type: "range", min: 1, max: 2, step: 0.05, value: 2, oninput: () => show() });
  const show = () => {
    label.textContent = t("zoomFactor", { n: slider.value });
    text.value = set(text.value, "zoom", slider.value);
  };
  const found = /--zoom ([\d.]+)/.exec(text.value);
  slider.value = found?.[1] ?? 2;
  show();
  return h("label", { class: "slider wide" }, label, slider);
}

// What is written on a button; where that is a sign alone, what it means.
function named(each) {
  const way = /pan_(\w+?)::/.exec(each.customId)?.[1];
  if (way) return t(`${way}_`);
  return each.label || (/reroll|Retry/.test(each.customId) ? t("reroll") : each.emoji);
}

function copy(text) {
  navigator.clipboard?.writeText(text).catch(() => {});
  say(t("copied", { text: text.length > 60 ? `${text.slice(0, 60)}…` : text }), "good");
}
