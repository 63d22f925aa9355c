// The tasks that the page knows, newest first: loaded by pages, kept true by events.
import { get, listen } from "./api.js";

export const ENDS = new Set(["SUCCESS", "FAILURE", "CANCEL"]);
const RANK = { NOT_START: 0, MODAL: 0, SUBMITTED: 1, IN_PROGRESS: 2, SUCCESS: 3, FAILURE: 3, CANCEL: 3 };

export class Tasks extends EventTarget {
  constructor() {
    super();
    this.byId = new Map();
    this.order = [];
    // Every task that waits, shown or not, and its account: a place in the queue counts them all.
    this.waiting = new Map();
    this.filter = {};
    this.next = null;
    this.loading = false;
    this.online = true;
  }

  start() {
    this.read();
    this.source = listen((task) => this.apply(task), () => this.read(), (online) => {
      if (online && !this.online) this.read();
      this.online = online;
      this.dispatchEvent(new Event("line"));
    });
  }

  // Everything that events cannot tell: at the start, and after they were missed.
  async read() {
    const [unfinished] = await Promise.all([get("mj/task/queue"), this.load(this.filter)]);
    this.waiting.clear();
    unfinished.forEach((task) => this.count(task));
    this.dispatchEvent(new Event("queue"));
  }

  async load(filter = {}) {
    this.filter = filter;
    const wish = this.wish = Symbol("load");
    this.loading = true;
    this.tell();
    try {
      const page = await get(`mj/task/search?${query(filter, 60)}`);
      if (wish !== this.wish) return;
      this.byId.clear();
      this.order = [];
      this.take(page);
    } finally {
      this.loading = false;
      this.tell();
    }
  }

  async more() {
    if (!this.next || this.loading) return;
    const wish = this.wish;
    this.loading = true;
    try {
      const page = await get(`mj/task/search?${query(this.filter, 200, this.next)}`);
      if (wish === this.wish) this.take(page);
    } finally {
      this.loading = false;
      this.tell();
    }
  }

  take(page) {
    for (const task of page.tasks) {
      if (!this.byId.has(task.id)) this.order.push(task.id);
      this.byId.set(task.id, task);
    }
    this.next = page.next;
  }

  // A task as it is now; what is older than what is known is let go.
  apply(task) {
    if (this.count(task)) this.dispatchEvent(new Event("queue"));
    const before = this.byId.get(task.id);
    if (before && (RANK[before.status] > RANK[task.status] || ENDS.has(before.status))) return;
    if (!before && !this.fits(task)) return;
    this.byId.set(task.id, task);
    if (!before) this.order.unshift(task.id);
    this.dispatchEvent(new CustomEvent("task", { detail: task }));
    if (!before) this.tell();
  }

  // How many of its account's tasks wait before it.
  before(task) {
    const own = task.properties.discordInstanceId;
    return [...this.waiting].filter(([id, account]) => account === own && id < task.id).length;
  }

  // Whether the queues are others now.
  count(task) {
    if (task.status !== "NOT_START") return this.waiting.delete(task.id);
    const comes = !this.waiting.has(task.id);
    this.waiting.set(task.id, task.properties.discordInstanceId);
    return comes;
  }

  forget(id) {
    this.byId.delete(id);
    this.order = this.order.filter((each) => each !== id);
    this.tell();
  }

  fits(task) {
    const { status, action, account, text, since, until } = this.filter;
    const told = `${task.prompt ?? ""} ${task.description} ${task.id}`.toLowerCase();
    return (!status || task.status === status) && (!action || task.action === action)
      && (!account || task.properties.discordInstanceId === account)
      && (!text || told.includes(text.toLowerCase()))
      && (!since || task.submitTime >= since) && (!until || task.submitTime < until);
  }

  all() {
    return this.order.map((id) => this.byId.get(id));
  }

  tell() {
    this.dispatchEvent(new Event("list"));
  }
}

function query(filter, size, before) {
  const given = Object.entries({ ...filter, size, before }).filter(([, value]) => value);
  return new URLSearchParams(given);
}
