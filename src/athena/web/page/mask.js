// Marking a region: brush, lasso and rectangle on a picture, with undo. What is marked comes out as
// a picture of the same size, white on black.
import { button, field, h } from "./dom.js";
import { t } from "./words.js";

export class Mask {
  constructor(source, width, height) {
    this.width = width;
    this.height = height;
    this.strokes = [];
    this.tool = "brush";
    this.brush = Math.round(Math.max(width, height) / 16);
    this.canvas = h("canvas", { width, height, class: "mask", tabIndex: 0, role: "application", "aria-label": t("canvas"),
      onpointerdown: (event) => this.begin(event), onpointermove: (event) => this.go(event),
      onpointerup: () => this.end(), onpointercancel: () => this.end(), onkeydown: (event) => this.key(event) });
    this.image = h("img", { src: source, alt: "" });
    this.cursor = { x: width / 2, y: height / 2 };
    const frame = h("div", { class: "frame" }, this.image, this.canvas);
    frame.style.aspectRatio = `${width} / ${height}`;
    this.element = h("div", { class: "masking" }, this.bar(), frame);
  }

  bar() {
    const tools = ["brush", "lasso", "rectangle"].map((name) => h("button", { type: "button", class: "chip", role: "radio",
      "aria-checked": String(name === this.tool), onclick: (event) => {
        this.tool = name;
        for (const each of event.target.closest(".kit").children) each.setAttribute("aria-checked", String(each === event.target));
      } }, t(name)));
    const size = h("input", { type: "range", min: 4, max: Math.round(Math.max(this.width, this.height) / 4), value: this.brush,
      oninput: (event) => { this.brush = Number(event.target.value); } });
    return h("div", { class: "row" }, h("div", { class: "kit", role: "radiogroup", "aria-label": t("regionTitle") }, tools),
      field(t("size"), size), button(t("undo"), () => this.undo(), { kind: "quiet", sign: "undo" }));
  }

  at(event) {
    const box = this.canvas.getBoundingClientRect();
    return { x: (event.clientX - box.left) / box.width * this.width, y: (event.clientY - box.top) / box.height * this.height };
  }

  begin(event) {
    this.canvas.setPointerCapture(event.pointerId);
    this.stroke = { tool: this.tool, size: this.brush, points: [this.at(event)] };
    this.strokes.push(this.stroke);
    this.draw();
  }

  go(event) {
    if (!this.stroke) return;
    const point = this.at(event);
    if (this.stroke.tool === "rectangle") this.stroke.points[1] = point;
    else this.stroke.points.push(point);
    this.draw();
  }

  end() {
    this.stroke = null;
  }

  // Without a mouse: arrows move, Space marks.
  key(event) {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (step) {
      this.cursor.x = Math.min(this.width, Math.max(0, this.cursor.x + step[0] * this.brush / 2));
      this.cursor.y = Math.min(this.height, Math.max(0, this.cursor.y + step[1] * this.brush / 2));
    } else if (event.key === " ") {
      this.strokes.push({ tool: "brush", size: this.brush, points: [{ ...this.cursor }] });
    } else if (event.key === "z" && (event.ctrlKey || event.metaKey)) {
      this.undo();
    } else return;
    event.preventDefault();
    this.draw(true);
  }

  undo() {
    this.strokes.pop();
    this.draw();
  }

  get isEmpty() {
    return !this.strokes.length;
  }

  draw(cursor = false) {
    const pen = this.canvas.getContext("2d");
    pen.clearRect(0, 0, this.width, this.height);
    paint(pen, this.strokes, "rgb(120, 90, 255)");
    if (cursor) {
      pen.strokeStyle = "#fff";
      pen.lineWidth = 2;
      pen.beginPath();
      pen.arc(this.cursor.x, this.cursor.y, this.brush / 2, 0, 7);
      pen.stroke();
    }
  }

  picture() {
    const out = h("canvas", { width: this.width, height: this.height });
    const pen = out.getContext("2d");
    pen.fillStyle = "#000";
    pen.fillRect(0, 0, this.width, this.height);
    paint(pen, this.strokes, "#fff");
    return out.toDataURL("image/png");
  }
}

function paint(pen, strokes, colour) {
  pen.fillStyle = pen.strokeStyle = colour;
  pen.lineCap = pen.lineJoin = "round";
  for (const { tool, size, points } of strokes) {
    const [first, ...rest] = points;
    pen.beginPath();
    if (tool === "rectangle") {
      const last = rest.at(-1) ?? first;
      pen.fillRect(first.x, first.y, last.x - first.x, last.y - first.y);
      continue;
    }
    pen.moveTo(first.x, first.y);
    for (const { x, y } of rest) pen.lineTo(x, y);
    if (tool === "lasso") {
      pen.closePath();
      pen.fill();
    } else {
      pen.lineWidth = size;
      if (!rest.length) pen.lineTo(first.x + 0.1, first.y);
      pen.stroke();
    }
  }
}
