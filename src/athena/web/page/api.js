// Calls to the server's public endpoints. Paths are relative, so a prefix before them is no matter.
import { language } from "./words.js";

export class ApiError extends Error {
  constructor(message, code, status) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

const TAKEN = new Set([1, 21, 22]);

function headers(more = {}) {
  return { "Accept-Language": language() === "zh" ? "zh" : "en", "X-Athena-Page": "1", ...more };
}

export async function call(method, path, body, more = {}) {
  const json = body === undefined ? {} : { "Content-Type": "application/json" };
  let answer;
  try {
    answer = await fetch(path, { method, headers: headers({ ...json, ...more }),
      body: body === undefined ? undefined : JSON.stringify(body), credentials: "same-origin" });
  } catch {
    throw new ApiError("", 0, 0);
  }
  const said = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new ApiError(said.description || answer.statusText, said.code, answer.status);
  return said;
}

export const get = (path) => call("GET", path);

// A submit carries a key of its own: when its answer is lost it is made again, and taken once.
export async function submit(path, body) {
  const key = { "Idempotency-Key": crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}` };
  for (let tries = 0; ; tries++) {
    try {
      const said = await call("POST", `mj/${path}`, body, key);
      if (!TAKEN.has(said.code)) throw new ApiError(said.description, said.code, 200);
      return said;
    } catch (error) {
      if (error.status !== 0 || tries >= 3) throw error;
      await new Promise((done) => setTimeout(done, 400 * 3 ** tries));
    }
  }
}

export const picture = (task, { tile = 0, width = 0 } = {}) => {
  const query = new URLSearchParams();
  if (width) query.set("w", width);
  if (!task.finishTime) query.set("p", task.progress || "0");
  const asked = query.toString();
  return `mj/image/${task.id}${tile ? `/${tile}` : ""}${asked ? `?${asked}` : ""}`;
};

// Every change of every task, for as long as the page lives. `told` hears them, `state` whether
// the line is there; after a break the stream goes on where it was, or says that it cannot.
export function listen(told, sync, state) {
  const source = new EventSource("mj/events");
  source.addEventListener("open", () => state(true));
  source.addEventListener("error", () => {
    state(false);
    if (source.readyState === EventSource.CLOSED) setTimeout(() => listen(told, sync, state), 3000);
  });
  source.addEventListener("task", (event) => told(JSON.parse(event.data)));
  source.addEventListener("sync", sync);
  return source;
}

export function base64(file) {
  return new Promise((done, failed) => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result);
    reader.onerror = () => failed(reader.error);
    reader.readAsDataURL(file);
  });
}
