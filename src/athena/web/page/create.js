// The Create panel: a prompt with its parameters as controls, and small forms for the rest.
import { ApiError, base64, submit } from "./api.js";
import { button, field, fill, h, icon, say, select } from "./dom.js";
import * as prompt from "./prompt.js";
import { t, why } from "./words.js";

const SHAPES = ["1:1", "4:5", "2:3", "9:16", "5:4", "3:2", "16:9", "3:1"];
const VERSIONS = ["", "v 8.1", "v 8", "v 7", "v 6.1", "niji 7", "niji 6"];
const SLIDERS = [["stylize", 0, 1000, 100], ["chaos", 0, 100, 0], ["weird", 0, 3000, 0]];
const ROLES = ["content", "style", "character", "omni"];
const PARAMETER_OF = { style: "sref", character: "cref", omni: "oref" };

export class Create {
  constructor(taken) {
    this.taken = taken;
    this.pictures = [];
    this.kind = "imagine";
    this.element = h("section", { class: "create", "aria-label": t("create") });
    this.draw();
  }

  draw() {
    const kinds = ["imagine", "blend", "describe", "shorten", "video", "swap"];
    const tabs = h("div", { class: "tabs", role: "tablist" }, kinds.map((kind) =>
      h("button", { type: "button", role: "tab", class: "tab", "aria-selected": String(kind === this.kind),
        onclick: () => { this.kind = kind; this.draw(); this.focus(); } }, t(kind))));
    const forms = { imagine: () => this.imagine(), blend: () => this.blend(), describe: () => this.describe(),
      shorten: () => this.shorten(), video: () => this.video(), swap: () => this.swap() };
    fill(this.element, tabs, forms[this.kind]());
  }

  focus() {
    this.element.querySelector("textarea, input")?.focus();
  }

  use(text) {
    this.kind = "imagine";
    this.draw();
    this.text.value = text;
    this.changed();
    this.focus();
  }

  // Imagine

  imagine() {
    this.text = h("textarea", { rows: 2, class: "prompt", placeholder: t("prompt"), "aria-label": t("prompt"),
      oninput: () => this.changed(), onkeydown: (event) => this.key(event), onpaste: (event) => this.pasted(event) });
    this.fault = h("p", { class: "fault", role: "alert" });
    this.controls = h("div", { class: "controls" });
    this.shelf = h("div", { class: "shelf" });
    this.go = button(t("make"), () => this.send(), { kind: "primary" });
    const form = h("form", { class: "paper", onsubmit: (event) => { event.preventDefault(); this.send(); },
      ondragover: (event) => { event.preventDefault(); form.classList.add("over"); },
      ondragleave: () => form.classList.remove("over"),
      ondrop: (event) => { event.preventDefault(); form.classList.remove("over"); this.add(event.dataTransfer.files); } },
      this.text, this.fault, this.shelf, this.controls,
      h("div", { class: "row end" }, this.adders(), h("span", { class: "hint wide" }, t("makeHint")), this.go));
    this.changed();
    this.showPictures();
    return form;
  }

  key(event) {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      this.send();
    }
  }

  pasted(event) {
    const files = [...event.clipboardData.files].filter((file) => file.type.startsWith("image/"));
    if (files.length) {
      event.preventDefault();
      this.add(files);
    }
  }

  changed() {
    this.text.style.height = "auto";
    this.text.style.height = `${Math.min(this.text.scrollHeight + 2, 320)}px`;
    this.fault.textContent = "";
    this.drawControls();
  }

  write(name, value) {
    this.text.value = prompt.set(this.text.value, name, value);
    this.changed();
  }

  drawControls() {
    const known = prompt.parameters(this.text.value);
    const open = this.controls.querySelector("details")?.open;
    const held = document.activeElement?.dataset?.parameter;
    fill(this.controls, this.shapes(known), this.version(known), this.speed(known), this.switch("raw", known),
      h("details", { class: "more", open: Boolean(open) }, h("summary", {}, t("more")),
        h("div", { class: "grid" }, SLIDERS.map((each) => this.slider(known, ...each)),
          this.entry("no", known), this.entry("seed", known), this.switch("tile", known, "tileOn"))));
    if (held) this.controls.querySelector(`[data-parameter="${held}"]`)?.focus();
  }

  shapes(known) {
    const chosen = known.get("ar") ?? "1:1";
    return h("div", { class: "shapes", role: "radiogroup", "aria-label": t("aspect") }, SHAPES.map((shape) => {
      const [wide, high] = shape.split(":").map(Number);
      const box = h("i", { class: "shape" });
      box.style.width = `${Math.min(20, 14 * Math.sqrt(wide / high))}px`;
      box.style.height = `${Math.min(20, 14 * Math.sqrt(high / wide))}px`;
      return h("button", { type: "button", role: "radio", class: "chip", "aria-checked": String(shape === chosen),
        "aria-label": shape, data: { parameter: `ar-${shape}` }, onclick: () => this.write("ar", shape === "1:1" ? null : shape) },
        box, h("span", {}, shape));
    }));
  }

  version(known) {
    const chosen = known.has("niji") ? `niji ${known.get("niji")}` : known.has("version") ? `v ${known.get("version")}` : "";
    const control = select(VERSIONS.map((each) => [each, each || t("asSet")]), VERSIONS.includes(chosen) ? chosen : "", (value) => {
      let text = prompt.set(prompt.set(this.text.value, "version", null), "niji", null);
      const [name, number] = value.split(" ");
      if (value) text = prompt.set(text, name === "v" ? "version" : name, number);
      this.text.value = text;
      this.changed();
    });
    control.dataset.parameter = "version";
    return field(t("version"), control);
  }

  speed(known) {
    const chosen = ["fast", "relax", "turbo"].find((each) => known.has(each)) ?? "";
    const control = select([["", t("asSet")], ["fast", t("fast")], ["relax", t("relax")], ["turbo", t("turbo")]], chosen, (value) => {
      let text = this.text.value;
      for (const each of ["fast", "relax", "turbo"]) text = prompt.set(text, each, null);
      this.text.value = value ? prompt.set(text, value, "") : text;
      this.changed();
    });
    control.dataset.parameter = "speed";
    return field(t("speed"), control);
  }

  switch(name, known, label = name) {
    return h("label", { class: "switch" },
      h("input", { type: "checkbox", checked: known.has(name), data: { parameter: name },
        onchange: (event) => this.write(name, event.target.checked ? "" : null) }), h("span", {}, t(label)));
  }

  slider(known, name, low, high, usual) {
    const value = known.get(name) ?? usual;
    const out = h("output", {}, String(value));
    const control = h("input", { type: "range", min: low, max: high, step: high > 500 ? 25 : 1, value, data: { parameter: name },
      oninput: (event) => { out.textContent = event.target.value; },
      onchange: (event) => this.write(name, Number(event.target.value) === usual ? null : event.target.value) });
    return h("div", { class: "slider" }, field(t(name), control), out);
  }

  entry(name, known) {
    return field(t(name), h("input", { value: known.get(name) ?? "", data: { parameter: name }, autocomplete: "off",
      inputMode: name === "seed" ? "numeric" : "text",
      onchange: (event) => this.write(name, event.target.value.trim() || null) }));
  }

  // Pictures

  adders(most = 8) {
    const chooser = h("input", { type: "file", accept: "image/*", multiple: true, hidden: true,
      onchange: () => { this.add(chooser.files, most); chooser.value = ""; } });
    return [chooser,
      button(t("addFile"), () => chooser.click(), { kind: "quiet", sign: "picture" }),
      button(t("addLink"), () => {
        const link = window.prompt(t("link"));
        if (link?.startsWith("http")) { this.pictures.push({ link, role: "content" }); this.showPictures(); }
      }, { kind: "quiet", sign: "plus" })];
  }

  async add(files, most = 8) {
    for (const file of files) {
      if (!file.type.startsWith("image/") || this.pictures.length >= most) continue;
      this.pictures.push({ data: await base64(file), name: file.name, role: "content" });
    }
    this.showPictures();
  }

  showPictures() {
    if (!this.shelf) return;
    const roles = this.kind === "imagine";
    fill(this.shelf, this.pictures.map((each, place) => h("figure", { class: "thumb" },
      each.data ? h("img", { src: each.data, alt: each.name || t("pictures") }) : h("div", { class: "link" }, icon("picture"), h("span", {}, each.link)),
      roles && select(ROLES.map((role) => [role, t(role)]), each.role, (role) => { each.role = role; }),
      button(t("remove"), () => { this.pictures.splice(place, 1); this.showPictures(); }, { kind: "bare", sign: "close", hidden: true }))));
    for (const control of this.shelf.querySelectorAll("select")) control.setAttribute("aria-label", t("role"));
    if (!this.pictures.length) this.shelf.append(h("p", { class: "hint" }, t("drop")));
  }

  // Links for those pictures that a parameter names.
  async linked(pictures) {
    const files = pictures.filter((each) => each.data);
    if (!files.length) return;
    const said = await submit("submit/upload-discord-images", { base64Array: files.map((each) => each.data) });
    files.forEach((each, place) => { each.link = said.result[place]; delete each.data; });
  }

  async send() {
    const text = this.text.value.trim();
    if (!text && !this.pictures.length) { this.text.focus(); return; }
    await this.ask(async () => {
      const named = this.pictures.filter((each) => each.role !== "content");
      await this.linked(named);
      let wish = text;
      for (const each of named) wish = `${wish} --${PARAMETER_OF[each.role]} ${each.link}`;
      const content = this.pictures.filter((each) => each.role === "content");
      const links = content.filter((each) => each.link).map((each) => each.link);
      return ["submit/imagine", { prompt: [...links, wish].join(" "), base64Array: content.filter((each) => each.data).map((each) => each.data) }];
    });
  }

  // The other forms

  form(hint, ...parts) {
    this.fault = h("p", { class: "fault", role: "alert" });
    this.go = button(t("make"), () => {}, { kind: "primary" });
    this.go.type = "submit";
    return h("form", { class: "paper" }, h("p", { class: "hint" }, hint), ...parts, this.fault, h("div", { class: "row end" }, this.go));
  }

  gathering(hint, most, ask) {
    this.pictures = [];
    this.shelf = h("div", { class: "shelf" });
    const form = this.form(hint, this.shelf);
    form.querySelector(".row").prepend(...this.adders(most));
    Object.assign(form, { ondragover: (event) => event.preventDefault(),
      ondrop: (event) => { event.preventDefault(); this.add(event.dataTransfer.files, most); },
      onpaste: (event) => this.add(event.clipboardData.files, most),
      onsubmit: (event) => { event.preventDefault(); this.ask(ask); } });
    this.showPictures();
    return form;
  }

  blend() {
    const shape = select([["SQUARE", "1:1"], ["PORTRAIT", "2:3"], ["LANDSCAPE", "3:2"]], "SQUARE", () => {});
    const form = this.gathering(t("blendHint"), 5, async () => {
      return ["submit/blend", { base64Array: this.pictures.filter((each) => each.data).map((each) => each.data), dimensions: shape.value }];
    });
    form.insertBefore(field(t("aspect"), shape), this.fault);
    return form;
  }

  describe() {
    return this.gathering(t("describeHint"), 1, async () => {
      const [given] = this.pictures;
      return ["submit/describe", given?.link ? { link: given.link } : { base64: given?.data ?? "" }];
    });
  }

  shorten() {
    const text = h("textarea", { rows: 4, required: true });
    const form = this.form(t("shortenHint"), field(t("imagine"), text));
    form.onsubmit = (event) => { event.preventDefault(); this.ask(async () => ["submit/shorten", { prompt: text.value }]); };
    return form;
  }

  video() {
    const text = h("textarea", { rows: 2 });
    const file = h("input", { type: "file", accept: "image/*" });
    const motion = select([["low", t("low")], ["high", t("high")]], "low", () => {});
    const loop = h("input", { type: "checkbox" });
    const form = this.form(t("videoHint"), field(t("imagine"), text), field(t("first"), file), field(t("motion"), motion),
      h("label", { class: "switch" }, loop, h("span", {}, t("loop"))));
    form.onsubmit = (event) => {
      event.preventDefault();
      this.ask(async () => ["submit/video", { prompt: text.value, motion: motion.value, loop: loop.checked,
        ...(file.files[0] ? { image: await base64(file.files[0]) } : {}) }]);
    };
    return form;
  }

  swap() {
    const face = h("input", { type: "file", accept: "image/*", required: true });
    const target = h("input", { type: "file", accept: "image/*", required: true });
    const form = this.form(t("swapHint"), field(t("face"), face), field(t("target"), target));
    form.onsubmit = (event) => {
      event.preventDefault();
      this.ask(async () => ["insight-face/swap", { sourceBase64: await base64(face.files[0]), targetBase64: await base64(target.files[0]) }]);
    };
    return form;
  }

  // Ask, and say at the field what is wrong with it.
  async ask(request) {
    this.go.disabled = true;
    this.fault.textContent = "";
    try {
      const said = await submit(...await request());
      const ahead = said.properties?.numberOfQueues;
      say(said.code === 22 && ahead ? t("queued", { n: ahead }) : t("taken"), "good");
      this.taken(said.result);
      this.text?.select?.();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const word = error.code === 24 ? ` (${error.word ?? ""})`.replace(" ()", "") : "";
      this.fault.textContent = why(error) + word;
      this.text?.setAttribute("aria-invalid", "true");
    } finally {
      this.go.disabled = false;
    }
  }
}
