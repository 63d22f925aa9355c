// The page as a whole: who one is, where one is, and what the keys do.
import { call, get } from "./api.js";
import { Create } from "./create.js";
import { button, field, fill, h } from "./dom.js";
import { Gallery } from "./gallery.js";
import { Run } from "./run.js";
import { Tasks } from "./tasks.js";
import { Viewer } from "./viewer.js";
import { language, speak, t, why } from "./words.js";

const root = document.getElementById("app");

function paint() {
  const chosen = localStorage.getItem("theme");
  if (chosen) document.documentElement.dataset.theme = chosen;
}

function turn() {
  const dark = document.documentElement.dataset.theme
    ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  localStorage.setItem("theme", dark === "dark" ? "light" : "dark");
  paint();
}

async function begin() {
  paint();
  let me;
  try {
    me = await get("mj/me");
  } catch (error) {
    if (error.status !== 401) { fill(root, h("main", { class: "door" }, h("p", { class: "fault", role: "alert" }, why(error)), button(t("retry"), begin))); return; }
    signIn();
    return;
  }
  house(me);
}

function signIn() {
  const token = h("input", { type: "password", required: true, autocomplete: "current-password" });
  const fault = h("p", { class: "fault", role: "alert" });
  const go = button(t("signIn"), () => {}, { kind: "primary" });
  go.type = "submit";
  fill(root, h("main", { class: "door" }, h("form", { class: "paper", onsubmit: async (event) => {
    event.preventDefault();
    try {
      await call("POST", "session", { secret: token.value.trim() });
      begin();
    } catch (error) {
      fault.textContent = error.status === 401 ? t("wrongToken") : why(error);
    }
  } }, h("img", { src: "page/icon.svg", alt: "", width: 48, height: 48 }), h("h1", {}, "Athena"), h("p", { class: "hint" }, t("greeting")), field(t("token"), token, t("tokenHint")), fault, h("div", { class: "row end" }, go))));
  token.focus();
}

function house(me) {
  const tasks = new Tasks();
  const create = new Create(() => {});
  const viewer = new Viewer(tasks, create, () => { if (location.hash.startsWith("#task/")) history.pushState(null, "", "#"); });
  const gallery = new Gallery(tasks, (id) => { location.hash = `task/${id}`; }, () => create.focus());
  const run = new Run();
  const admin = me.role === "admin", reads = me.role === "reader";
  viewer.reads = reads;
  const links = [["", "gallery"], ...(admin ? [["run", "run"]] : [])];
  const main = h("main", { id: "main", tabIndex: -1 });
  const nav = h("nav", { class: "places", "aria-label": "Athena" }, links.map(([place, name]) => h("a", { href: `#${place}` }, t(name))));

  fill(root, h("a", { class: "skip", href: "#main", onclick: (event) => { event.preventDefault(); main.focus(); } }, t("skip")),
    h("header", { class: "top" }, h("h1", {}, h("a", { href: "#" }, "Athena")), nav, h("div", { class: "row tools" },
      h("a", { class: "button bare", href: "docs" }, t("api")),
      button(t("chinese"), () => { speak(language() === "zh" ? "en" : "zh"); tasks.source?.close(); house(me); }, { kind: "bare" }),
      button(t("theme"), turn, { kind: "bare", sign: "sun", hidden: true }),
      !me.isOpen && button(t("signOut"), async () => { await call("DELETE", "session"); location.reload(); }, { kind: "bare" }))), main, h("footer", { class: "hint keys" }, t("shortcuts")));

  const route = () => {
    const [place, which] = location.hash.slice(1).split("/");
    for (const [number, link] of [...nav.children].entries()) link.toggleAttribute("data-here", links[number][0] === (place === "task" ? "" : place));
    if (place === "task") { if (!main.contains(gallery.element)) fill(main, !reads && create.element, gallery.element); viewer.open(which); return; }
    viewer.close();
    if (place === "run" && admin) { fill(main, run.element); run.show(which); return; }
    run.hide();
    fill(main, !reads && create.element, gallery.element);
    gallery.draw();
  };
  removeEventListener("hashchange", house.route);
  addEventListener("hashchange", house.route = route);
  removeEventListener("keydown", house.keys);
  addEventListener("keydown", house.keys = (event) => {
    if (event.target.closest("input, textarea, select, dialog") || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "n") { event.preventDefault(); location.hash = ""; create.focus(); }
    if (event.key === "/") { event.preventDefault(); location.hash = ""; gallery.search.focus(); }
  });
  tasks.start();
  if (admin) gallery.nameAccounts();
  route();
}

begin();
