// A prompt as words and parameters. Pure: text in, text out.

const PARAMETER = /(?:^|\s)--([a-z]+)((?:\s+(?!--)\S+)*)/gi;
const SAME = { aspect: "ar", s: "stylize", c: "chaos", w: "weird", v: "version", q: "quality" };
const WRITTEN = { version: "v" };
export const SWITCHES = new Set(["raw", "tile", "draft", "fast", "relax", "turbo"]);
const WORDY = new Set(["no", "sref", "cref", "oref", "profile", "p"]);

const known = (name) => SAME[name.toLowerCase()] ?? name.toLowerCase();

export function parameters(text) {
  const found = new Map();
  for (const [, name, value] of text.matchAll(PARAMETER)) {
    const words = value.trim();
    const own = known(name);
    found.set(own, SWITCHES.has(own) ? "" : WORDY.has(own) ? words : words.split(/\s+/)[0] ?? "");
  }
  return found;
}

// The prompt with a parameter set anew; null takes it out.
export function set(text, name, value) {
  const without = text.replace(PARAMETER, (whole, given, words) => {
    if (known(given) !== name) return whole;
    const rest = words.trim().split(/\s+/).slice(1).join(" ");
    return SWITCHES.has(name) ? (words.trim() ? ` ${words.trim()}` : "")
      : WORDY.has(name) || !rest ? "" : ` ${rest}`;
  });
  const kept = without.replace(/[ \t]+/g, " ").trim();
  return value === null ? kept : `${kept} --${WRITTEN[name] ?? name}${value === "" ? "" : ` ${value}`}`.trim();
}

export function words(text) {
  return text.replace(PARAMETER, "").trim();
}

export function ratio(text) {
  const [wide, high] = (parameters(text).get("ar") ?? "1:1").split(":").map(Number);
  return wide > 0 && high > 0 ? wide / high : 1;
}
