// Elements without a framework: `h` makes them, `fill` replaces what is in one.

export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class") element.className = value;
    else if (name === "data") Object.assign(element.dataset, value);
    else if (name in element && !name.startsWith("aria") && name !== "list" && name !== "role")
      element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

export function fill(element, ...children) {
  element.replaceChildren(...children.flat(Infinity).filter((child) => child || child === 0));
  return element;
}

const PATHS = {
  close: "M6 6l12 12M18 6L6 18",
  plus: "M12 5v14M5 12h14",
  picture: "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4",
  undo: "M9 7L4 12l5 5M4 12h10a5 5 0 010 10h-2",
  copy: "M9 9h11v11H9zM5 15V4h11",
  down: "M12 4v11M7 11l5 5 5-5M5 20h14",
  trash: "M5 7h14M9 7V4h6v3M7 7l1 13h8l1-13",
  left: "M15 5l-7 7 7 7",
  right: "M9 5l7 7-7 7",
  sun: "M12 8a4 4 0 100 8 4 4 0 000-8M12 2v3M12 19v3M2 12h3M19 12h3M5 5l2 2M17 17l2 2M5 19l2-2M17 7l2-2",
  seed: "M12 21V11M12 11c0-4 3-6 7-6 0 4-3 6-7 6M12 14c0-3-2-5-6-5 0 3 2 5 6 5",
};

export function icon(name) {
  const drawn = svg("path", { d: PATHS[name], fill: "none", stroke: "currentColor",
    "stroke-width": "1.8", "stroke-linecap": "round", "stroke-linejoin": "round" });
  return svg("svg", { viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true" }, drawn);
}

export function button(label, act, { kind = "", sign = "", hidden = false, ...more } = {}) {
  return h("button", { type: "button", class: `button ${kind}`, onclick: act,
    "aria-label": hidden ? label : undefined, title: hidden ? label : undefined, ...more },
    sign && icon(sign), hidden ? null : h("span", {}, label));
}

// A sentence; what stands between backticks is code.
function prose(text) {
  return text.split("`").map((part, place) => (place % 2 ? h("code", {}, part) : part));
}

let made = 0;
export function field(label, control, hint = "") {
  control.id ||= `field-${++made}`;
  const about = hint ? h("small", { id: `${control.id}-hint` }, prose(hint)) : null;
  if (about) control.setAttribute("aria-describedby", about.id);
  return h("div", { class: "field" }, h("label", { htmlFor: control.id }, label), control, about);
}

export function select(options, value, act) {
  const control = h("select", { onchange: () => act(control.value) },
    options.map(([known, label]) => h("option", { value: known }, label)));
  control.value = value ?? "";
  return control;
}

// A dialog that is gone when it is closed. Escape closes it, what is behind it rests.
export function dialog(title, closeLabel, ...body) {
  const element = h("dialog", { class: "dialog", "aria-label": title },
    h("header", {}, h("h2", {}, title),
      button(closeLabel, () => element.close(), { kind: "bare", sign: "close", hidden: true })),
    ...body);
  element.addEventListener("close", () => element.remove());
  document.body.append(element);
  element.showModal();
  return element;
}

export function say(text, kind = "info", act = null) {
  let place = document.getElementById("said");
  if (!place) {
    place = h("div", { id: "said", role: "status", "aria-live": "polite", popover: "manual" });
    document.body.append(place);
  }
  // Above everything, dialogs too.
  if (place.matches(":popover-open")) place.hidePopover();
  place.showPopover();
  const line = h("div", { class: `said ${kind}` }, h("span", {}, text),
    act && button(act[0], () => { line.remove(); act[1](); }, { kind: "bare" }));
  place.replaceChildren(line);
  setTimeout(() => line.remove(), kind === "bad" ? 9000 : 4500);
}
