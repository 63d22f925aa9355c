// The gallery: rows of pictures of one height, of which only those near the window exist.
import { get, picture } from "./api.js";
import { button, field, fill, h, select } from "./dom.js";
import { ratio } from "./prompt.js";
import { ENDS } from "./tasks.js";
import { t } from "./words.js";

const GAP = 10;
const CAPTION = 0;
const ACTIONS = ["IMAGINE", "UPSCALE", "VARIATION", "REROLL", "ZOOM", "PAN", "BLEND", "DESCRIBE", "SHORTEN", "VIDEO", "SWAP_FACE", "SHOW", "EDIT"];

// Rows that fill the width: each picture keeps its shape, the last row its height.
export function rows(shapes, width, height) {
  const made = [];
  let begin = 0, sum = 0, top = 0;
  shapes.forEach((shape, place) => {
    sum += shape;
    const count = place - begin + 1;
    const full = sum * height + (count - 1) * GAP >= width;
    if (!full && place < shapes.length - 1) return;
    const high = full ? (width - (count - 1) * GAP) / sum : height;
    const row = { top, high, cells: [] };
    let left = 0;
    for (let each = begin; each <= place; each++) {
      const wide = shapes[each] * high;
      row.cells.push({ place: each, left, wide });
      left += wide + GAP;
    }
    made.push(row);
    top += high + CAPTION + GAP;
    begin = place + 1;
    sum = 0;
  });
  return { rows: made, height: top };
}

export class Gallery {
  constructor(tasks, open, start) {
    this.tasks = tasks;
    this.open = open;
    this.start = start;
    this.cards = new Map();
    this.line = h("div", { class: "broken", role: "status", hidden: true }, t("offline"));
    this.room = h("div", { class: "wall", role: "group", "aria-label": t("gallery") });
    this.state = h("div", { class: "state" });
    this.element = h("section", { class: "gallery" }, this.line, this.filters(), this.state, this.room);
    tasks.addEventListener("list", () => this.draw());
    tasks.addEventListener("task", (event) => this.redraw(event.detail));
    tasks.addEventListener("queue", () => this.requeue());
    tasks.addEventListener("line", () => { this.line.hidden = tasks.online; });
    new ResizeObserver(() => this.draw()).observe(this.room);
    addEventListener("scroll", () => this.place(), { passive: true });
    this.element.addEventListener("keydown", (event) => this.move(event));
  }

  filters() {
    const wish = {};
    let timer;
    const change = (name, value) => {
      wish[name] = value;
      clearTimeout(timer);
      timer = setTimeout(() => this.tasks.load({ ...wish }), name === "text" ? 250 : 0);
    };
    const day = (name, late) => h("input", { type: "date", onchange: (event) =>
      change(name, event.target.value ? new Date(`${event.target.value}T00:00`).getTime() + (late ? 86_400_000 : 0) : "") });
    const states = ["NOT_START", "SUBMITTED", "IN_PROGRESS", "MODAL", "SUCCESS", "FAILURE", "CANCEL"];
    this.search = h("input", { type: "search", placeholder: t("search"), oninput: (event) => change("text", event.target.value) });
    this.accounts = select([["", t("anyAccount")]], "", (value) => change("account", value));
    const form = h("form", { class: "sought", onsubmit: (event) => event.preventDefault() },
      field(t("search"), this.search), h("details", { open: innerWidth > 900 }, h("summary", {}, t("filters")), h("div", { class: "filters" },
      field(t("state"), select([["", t("anyState")], ...states.map((each) => [each, t(each)])], "", (value) => change("status", value))),
      field(t("kind"), select([["", t("anyAction")], ...ACTIONS.map((each) => [each, each.toLowerCase().replace("_", " ")])], "", (value) => change("action", value))),
      field(t("account"), this.accounts), field(t("since"), day("since", false)), field(t("until"), day("until", true)),
      button(t("clear"), () => { form.reset(); for (const name of Object.keys(wish)) delete wish[name]; this.tasks.load({}); }, { kind: "quiet" }))));
    return form;
  }

  async nameAccounts() {
    const known = await get("mj/account/list").catch(() => []);
    for (const each of known) this.accounts.append(h("option", { value: each.id }, each.remark || each.id));
  }

  draw() {
    const tasks = this.tasks.all();
    const filtered = Object.values(this.tasks.filter).some(Boolean);
    fill(this.state, !tasks.length && (this.tasks.loading ? h("p", { class: "hint" }, t("loading"))
      : filtered ? h("p", { class: "hint" }, t("nothing")) : this.welcome()));
    const width = this.room.clientWidth;
    if (!width) return;
    const high = width < 600 ? 150 : 230;
    this.shapes = tasks.map(shape);
    this.laid = rows(this.shapes, width, high);
    this.room.style.height = `${this.laid.height}px`;
    this.place();
  }

  welcome() {
    return h("div", { class: "welcome" }, h("h2", {}, t("emptyTitle")), h("p", {}, t("emptyText")),
      button(t("create"), this.start, { kind: "primary", sign: "plus" }));
  }

  // Put the rows near the window where they belong, and let go of the others.
  place() {
    if (!this.laid) return;
    const top = this.room.getBoundingClientRect().top;
    const from = -top - innerHeight, to = -top + 2 * innerHeight;
    const kept = new Map();
    for (const row of this.laid.rows) {
      if (row.top + row.high < from || row.top > to) continue;
      for (const cell of row.cells) {
        const task = this.tasks.byId.get(this.tasks.order[cell.place]);
        if (!task) continue;
        const card = this.cards.get(task.id) ?? this.make(task);
        kept.set(task.id, card);
        card.style.transform = `translate(${cell.left}px, ${row.top}px)`;
        card.style.width = `${cell.wide}px`;
        card.style.height = `${row.high}px`;
        card.dataset.place = cell.place;
      }
    }
    for (const [id, card] of this.cards) {
      if (kept.has(id)) continue;
      card.remove();
      this.cards.delete(id);
    }
    // In the order in which they are seen, for those who go through them by keys or hear them.
    [...kept.values()].forEach((card, place) => {
      if (this.room.children[place] !== card) this.room.insertBefore(card, this.room.children[place] ?? null);
    });
    if (-top + 3 * innerHeight > this.laid.height) this.tasks.more();
  }

  make(task) {
    const card = h("a", { class: "card", href: `#task/${task.id}`, data: { id: task.id } });
    this.show(card, task);
    this.cards.set(task.id, card);
    return card;
  }

  redraw(task) {
    const card = this.cards.get(task.id);
    if (!card) return;
    this.show(card, task);
    const place = Number(card.dataset.place);
    if (this.shapes && Math.abs((this.shapes[place] ?? 1) - shape(task)) > 0.02) this.draw();
  }

  // Somebody came or left: those behind have moved.
  requeue() {
    for (const [id, card] of this.cards) {
      const task = this.tasks.byId.get(id);
      if (task?.status === "NOT_START") this.show(card, task);
    }
  }

  show(card, task) {
    const words = task.prompt || task.description;
    card.setAttribute("aria-label", `${t(task.status)} ${task.progress} ${words}`);
    const old = card.querySelector("img");
    const image = task.imageUrl ? old ?? h("img", { alt: "", loading: "lazy", decoding: "async" }) : null;
    if (image) {
      const source = picture(task, { width: 480 });
      if (image.getAttribute("src") !== source) image.src = source;
    }
    const running = !ENDS.has(task.status);
    const percent = Number.parseInt(task.progress || "0", 10);
    const bar = running && h("span", { class: "bar" });
    if (bar) bar.style.setProperty("--done", `${percent}%`);
    card.className = `card ${task.status.toLowerCase()}`;
    const before = task.status === "NOT_START" ? this.tasks.before(task) : 0;
    const said = running && percent ? `${percent}%` : before ? t("waiting", { n: before }) : t(task.status);
    const badge = running || task.status !== "SUCCESS" ? h("span", { class: "badge" }, said) : null;
    fill(card, image, !image && h("span", { class: "blank" }, words), badge,
      h("span", { class: "caption" }, words), bar);
  }

  move(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const row = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const card = event.target.closest?.(".card");
    if (!card || !(step || row)) return;
    event.preventDefault();
    let place = Number(card.dataset.place) + (step ?? 0);
    if (row) {
      const at = this.laid.rows.findIndex((each) => each.cells.some((cell) => cell.place === place));
      const cells = this.laid.rows[at + row]?.cells;
      if (!cells) return;
      place = cells[Math.min(cells.length - 1, this.laid.rows[at].cells.findIndex((cell) => cell.place === place))].place;
    }
    const next = this.cards.get(this.tasks.order[place]);
    next?.focus();
    next?.scrollIntoView({ block: "nearest" });
  }
}

function shape(task) {
  const known = task.imageWidth && task.imageHeight ? task.imageWidth / task.imageHeight : ratio(task.prompt ?? "");
  return Math.min(3, Math.max(0.4, known));
}
