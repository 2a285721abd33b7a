// Shows a list of checks as they are made; the words stand in the page, in the visitor's language.

import { Unsupported } from "./proof.js";

export class Steps {
  constructor(list, status) {
    this.list = list;
    this.status = status;
    this.clear();
  }

  clear() {
    this.failed = false;
    for (const item of this.list.children) this.mark(item.dataset.step, "wait", "");
  }

  mark(name, outcome, detail) {
    const item = this.list.querySelector(`[data-step="${name}"]`);
    item.dataset.outcome = outcome;
    item.querySelector("[data-word]").textContent = this.list.dataset[outcome];
    item.querySelector("code").textContent = detail || "";
  }

  /** Do one check and show how it went. Only a browser that cannot check at all ends the run. */
  async run(name, check) {
    try {
      this.mark(name, "ok", await check());
      return true;
    } catch (error) {
      if (error instanceof Unsupported) throw error;
      this.failed = true;
      this.mark(name, "fail", error.place);
      return false;
    }
  }

  /** The key last where it is revoked: it counts if all else holds, the proof above all. */
  async runKey(own) {
    await this.run("key", () => {
      if (own.isRevoked() && (this.failed || !own.found.proved)) throw new Error("revoked");
      return own.key();
    });
  }

  say(key, outcome = "wait") {
    this.status.textContent = this.status.dataset[key];
    this.status.dataset.outcome = outcome;
  }
}
