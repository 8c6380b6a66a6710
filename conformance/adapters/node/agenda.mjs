// What is to be done when. One timer is enough: it is set for the first moment.

export class Agenda {
  /** The first last. @type {{at: number, work?: () => void}[]} */
  #entries = [];
  #timer;

  /** @param {() => void} wake called when a moment has come, to look what is to be done */
  constructor(wake) {
    this.wake = wake;
    this.tick();
  }

  /** Everything within one step happens at one time; and no change of the machine's clock disturbs it. */
  tick() {
    this.now = performance.timeOrigin + performance.now();
  }

  /** @param {number} at @param {() => void} [work] */
  at(at, work) {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#entries[middle].at > at) low = middle + 1;
      else high = middle;
    }
    this.#entries.splice(low, 0, { at, work });
  }

  /** Something changes then by itself, and who waits should look. @param {number} at */
  wakeAt(at) {
    if (at > this.now) this.at(at);
  }

  /** Does what is due, the earliest first. */
  run() {
    this.tick();
    while (this.#entries.length > 0 && this.#entries.at(-1).at <= this.now) this.#entries.pop().work?.();
  }

  /** Sleeps until the next moment; timers know no longer time than 2^31 ms. */
  sleep() {
    clearTimeout(this.#timer);
    const next = this.#entries.at(-1);
    if (next) this.#timer = setTimeout(this.wake, Math.min(Math.max(Math.ceil(next.at - this.now), 1), 2 ** 31 - 1));
  }

  stop() {
    clearTimeout(this.#timer);
  }
}
