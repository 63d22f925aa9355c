// Small charts in SVG.
import { h, svg } from "./dom.js";
import { t } from "./words.js";

const KINDS = [["made", "SUCCESS"], ["failed", "FAILURE"], ["other", "elsewise"]];

// Stacked bars: made, failed, and the rest; as wide as there is room, so that words keep their size.
export function bars(hours) {
  const wide = Math.min(1100, innerWidth - 64), high = 160, most = Math.max(1, ...hours.map((each) => each.made + each.failed + each.other));
  const step = wide / hours.length;
  const drawn = svg("svg", { viewBox: `0 0 ${wide} ${high + 18}`, role: "img", "aria-label": t("perHour") });
  hours.forEach((each, place) => {
    let top = high;
    for (const [kind] of KINDS) {
      const size = each[kind] / most * (high - 12);
      top -= size;
      if (size) drawn.append(svg("rect", { x: place * step + 2, y: top, width: step - 4, height: size, rx: 2, class: kind }));
    }
    const when = new Date(each.begins);
    const said = svg("title", {}, `${when.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })}: ${each.made} / ${each.failed} / ${each.other}`);
    drawn.append(svg("rect", { x: place * step, y: 0, width: step, height: high, fill: "transparent" }, said));
    if (place % 6 === 0) drawn.append(svg("text", { x: place * step + 2, y: high + 14 }, `${when.getHours()}:00`));
  });
  drawn.append(svg("line", { x1: 0, x2: wide, y1: high, y2: high }));
  drawn.append(svg("text", { x: 2, y: 11 }, String(most)));
  const legend = KINDS.map(([kind, word]) => h("li", {}, h("i", { class: kind }), t(word)));
  return h("figure", { class: "chart" }, drawn, h("ul", { class: "legend" }, legend));
}

export function ranking(reasons) {
  const most = Math.max(...Object.values(reasons));
  return h("ol", { class: "ranking" }, Object.entries(reasons).map(([reason, count]) => {
    const bar = h("i", {});
    bar.style.width = `${count / most * 100}%`;
    return h("li", {}, h("span", {}, reason), h("b", {}, String(count)), bar);
  }));
}
