// The ids that a queue has stored, for as long as its policy says.

import { createHash } from "node:crypto";
import { Refusal, code } from "./protocol.mjs";

export class Seen {
  /** The oldest first, since all are remembered equally long. @type {Map<string, {until: number, digest: string}>} */
  #ids = new Map();

  /** @param {number} window in milliseconds; 0 remembers nothing */
  constructor(window) {
    this.window = window;
  }

  /** @param {string} id @param {Buffer} body @param {number} now */
  has(id, body, now) {
    this.#forget(now);
    const known = this.#ids.get(id);
    if (known && known.digest !== digestOf(body)) {
      throw new Refusal(code.conflict, `the id ${id} was used for another body`);
    }
    return known !== undefined;
  }

  /** @param {string} id @param {Buffer} body @param {number} now */
  add(id, body, now) {
    if (this.window > 0) this.#ids.set(id, { until: now + this.window, digest: digestOf(body) });
  }

  #forget(now) {
    for (const [id, { until }] of this.#ids) {
      if (until > now) return;
      this.#ids.delete(id);
    }
  }
}

const digestOf = (body) => createHash("sha256").update(body).digest("base64");
