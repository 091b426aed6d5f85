// What the page knows of a document, and who is to be told when that changes.

import { get, post } from "./server.js";

export class Drawing {
  constructor(name, about) {
    Object.assign(this, { name, heat: null, selected: new Set() });
    this.take(about);
    this.listeners = [];
    this.following = true;
  }

  listen(listener) {
    this.listeners.push(listener);
  }

  tell() {
    for (const listener of this.listeners) listener();
  }

  /** Show the picture after so many actions. */
  seek(count) {
    this.count = Math.min(Math.max(0, count), this.actions.length);
    this.following = this.count === this.actions.length;
    this.heat = null;
    this.tell();
  }

  /** Ask for a change; the actions that it leaves are shown. */
  async change(edit, count = this.count) {
    const { actions, facts } = await post(`/api/documents/${this.name}/change`, edit);
    const end = this.count === this.actions.length && count === this.count;
    Object.assign(this, { actions, facts, heat: null, loaded: facts.changes });
    if (edit.do === "choose" || edit.do === "undo" || edit.do === "redo") await this.reload();
    this.count = end ? this.actions.length : Math.min(count, this.actions.length);
    this.selected = new Set([...this.selected].filter((step) => step < this.actions.length));
    this.tell();
  }

  /** The document has changed, perhaps because an agent paints it. */
  async update(facts) {
    this.facts = facts;
    this.tell();
    if (this.loading) return;
    this.loading = true;
    try {
      while (this.facts.changes > this.loaded) {
        await this.reload();
        if (this.following) this.count = this.actions.length;
        this.tell();
      }
    } finally {
      this.loading = false;
    }
  }

  async reload() {
    this.take(await get(`/api/documents/${this.name}`));
  }

  /** Newer facts may have come while these were on their way; then the actions are asked for again. */
  take(about) {
    const facts = this.facts?.changes > about.facts.changes ? this.facts : about.facts;
    Object.assign(this, { about, actions: about.actions, facts, loaded: about.facts.changes });
    this.count = Math.min(this.count ?? Infinity, this.actions.length);
  }
}
