// What the server is asked: JSON over HTTP, frames over a WebSocket.

async function answer(response) {
  const values = await response.json().catch(() => ({ error: `the studio answered ${response.status}` }));
  if (!response.ok) throw new Error(values.error ?? `the studio answered ${response.status}`);
  return values;
}

async function ask(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new Error("the studio cannot be reached: is it still running?");
  }
  return answer(response);
}

export const get = (path, query = {}) => ask(`${path}?${new URLSearchParams(query)}`);
export const post = (path, values = {}) => ask(path, { method: "POST", body: JSON.stringify(values) });
export const send = (path, file) => ask(path, { method: "POST", body: file });
export const remove = (path) => ask(path, { method: "DELETE" });

/** The connection for frames. One frame of each document is asked for at a time; of several wishes the last counts. */
class Frames {
  constructor() {
    this.watched = new Map();
  }

  /** From now on tell hear.facts(values) and hear.frame(header, bitmap or null). Gives what ends that. */
  watch(name, hear) {
    const entry = { hear, waiting: false, wish: null, whole: true };
    this.watched.set(name, entry);
    this.open();
    this.say({ watch: [...this.watched.keys()] });
    return () => {
      if (this.watched.get(name) !== entry) return;
      this.watched.delete(name);
      this.say({ watch: [...this.watched.keys()] });
    };
  }

  want(name, count) {
    const entry = this.watched.get(name);
    if (!entry) return;
    entry.wish = count;
    this.next(name, entry);
  }

  next(name, entry) {
    if (entry.waiting || entry.wish === null || this.socket?.readyState !== WebSocket.OPEN) return;
    entry.waiting = true;
    this.say({ frame: name, count: entry.wish, whole: entry.whole });
    entry.wish = null;
    entry.whole = false;
  }

  open() {
    if (this.socket && this.socket.readyState <= WebSocket.OPEN) return;
    const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/frames`);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      this.say({ watch: [...this.watched.keys()] });
      for (const [name, entry] of this.watched) {
        Object.assign(entry, { waiting: false, whole: true, wish: entry.wish ?? entry.last ?? null });
        this.next(name, entry);
      }
    };
    socket.onmessage = (event) => (typeof event.data === "string" ? this.text(JSON.parse(event.data)) : this.frame(event.data));
    socket.onclose = () => this.watched.size && setTimeout(() => this.open(), 1000);
    this.socket = socket;
  }

  say(message) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  text(message) {
    for (const [name, facts] of Object.entries(message.facts ?? {})) this.watched.get(name)?.hear.facts(facts);
  }

  async frame(data) {
    const length = new DataView(data).getUint32(0);
    const header = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 4, length)));
    const entry = this.watched.get(header.frame);
    if (!entry) return;
    const part = header.type ? await createImageBitmap(new Blob([data.slice(4 + length)], { type: header.type })) : null;
    entry.last = header.count;
    entry.hear.frame(header, part);
    entry.waiting = false;
    this.next(header.frame, entry);
  }
}

export const frames = new Frames();
