// One queue: messages, what each group has of them, who waits for them, and the dead letters.

import { randomUUID } from "node:crypto";
import { Refusal, code, fitting, utcText, written } from "./protocol.mjs";
import { Seen } from "./seen.mjs";

/**
 * @typedef {{seq: number, id: string, body: Buffer, priority: number, to?: string, ttl: number, dueAt: number,
 *   expiresAt: number, copies: Map<string, Copy>}} Message
 * @typedef {{message: Message, group: string, used: number, reason?: string, dueAt: number, hold?: Hold}} Copy
 * @typedef {{tag: string, client: string, until: number}} Hold
 * @typedef {{client: string, group: string, recipient?: string, id?: string, max: number, until: number,
 *   answer: (deliveries: object[] | Refusal) => void}} Waiter
 */

const shown = ({ message, used }) => ({
  id: message.id, ...written(message.body), priority: message.priority, attempt: used + 1,
});

export class Queue {
  /** In the order of publication. @type {Map<number, Message>} */
  #messages = new Map();
  /** For each group its copies by priority, in the order of publication. @type {Map<string, Map<number, Copy>[]>} */
  #groups = new Map();
  /** @type {Map<string, Copy>} */
  #held = new Map();
  #letters = [];
  #seen;
  #lastSeq = 0;
  #expired = 0;
  /** @type {Waiter[]} */
  #waiting = [];

  /** @param {any} policy @param {import("./agenda.mjs").Agenda} agenda */
  constructor(policy, agenda) {
    this.policy = policy;
    this.agenda = agenda;
    this.#seen = new Seen(policy.dedupe_ms);
    this.#join("");
  }

  // Coming in.

  publish({ id, priority, ttl_ms, delay_ms, to }, body) {
    if (this.#seen.has(id, body, this.agenda.now)) return "duplicate";
    this.#makeRoom(this.policy.overflow === "drop-oldest");
    this.#seen.add(id, body, this.agenda.now);
    const ttl = Math.min(ttl_ms ?? Infinity, this.policy.ttl_ms ?? Infinity);
    this.#enter({ id, body, priority, to, ttl }, delay_ms, this.#groups.keys());
    return "stored";
  }

  #makeRoom(mayDrop) {
    const most = this.policy.max_length ?? Infinity;
    if (this.#messages.size < most) return;
    const isFree = (message) => [...message.copies.values()].every((copy) => !copy.hold);
    const oldest = mayDrop && [...this.#messages.values()].find(isFree);
    if (!oldest) throw new Refusal(code.full, `the queue holds ${most} messages, as many as it may`);
    for (const copy of [...oldest.copies.values()]) this.#remove(copy);
  }

  #enter(content, delay, groups) {
    const { now } = this.agenda;
    const seq = ++this.#lastSeq;
    const message = { ...content, seq, dueAt: now + delay, expiresAt: now + content.ttl, copies: new Map() };
    this.#messages.set(seq, message);
    for (const group of groups) this.#copy(message, group);
    if (delay > 0) this.agenda.wakeAt(message.dueAt);
    if (content.ttl < Infinity) this.agenda.at(message.expiresAt, () => this.#expire(seq));
  }

  #copy(message, group) {
    const copy = { message, group, used: 0, dueAt: message.dueAt };
    message.copies.set(group, copy);
    this.#groups.get(group)[message.priority].set(message.seq, copy);
  }

  /** A new group sees all that is still there. */
  #join(group) {
    if (this.#groups.has(group)) return;
    const levels = this.#levels(group);
    this.#groups.set(group, levels);
    for (const copy of levels.flatMap((level) => [...level.values()])) copy.message.copies.set(group, copy);
  }

  /** What a group has, by priority. One that nobody has joined looks as it would to the first who does. */
  #levels(group) {
    const levels = this.#groups.get(group) ?? Array.from({ length: 11 }, () => new Map());
    if (this.#groups.has(group)) return levels;
    for (const message of this.#messages.values()) {
      if (message.expiresAt <= this.agenda.now) continue;
      levels[message.priority].set(message.seq, { message, group, used: 0, dueAt: message.dueAt });
    }
    return levels;
  }

  #remove({ message, group }) {
    message.copies.delete(group);
    this.#groups.get(group)[message.priority].delete(message.seq);
    if (message.copies.size === 0) this.#messages.delete(message.seq);
  }

  #expire(seq) {
    const free = [...(this.#messages.get(seq)?.copies.values() ?? [])].filter((copy) => !copy.hold);
    for (const copy of free) this.#remove(copy);
    this.#expired += free.length;
  }

  // Going out.

  #isReady({ hold, dueAt, message }) {
    return !hold && dueAt <= this.agenda.now && message.expiresAt > this.agenda.now;
  }

  *#inOrder(group, recipient) {
    for (const level of this.#levels(group).toReversed()) {
      for (const copy of level.values()) {
        const { to } = copy.message;
        if (this.#isReady(copy) && (to === undefined || to === recipient)) yield copy;
      }
    }
  }

  /** @param {Waiter} waiter */
  wait(waiter) {
    this.#join(waiter.group);
    this.#waiting.push(waiter);
    this.agenda.wakeAt(waiter.until);
  }

  /** Looks whether somebody who waits can be answered, in the order in which they came. */
  serve() {
    this.#waiting = this.#waiting.filter((waiter) => {
      const deliveries = this.#take(waiter);
      if (deliveries.length === 0 && this.agenda.now < waiter.until) return true;
      waiter.answer(deliveries);
      return false;
    });
  }

  /** @param {Refusal} why @param {string} [client] */
  dismiss(why, client) {
    const isMeant = (waiter) => client === undefined || waiter.client === client;
    for (const waiter of this.#waiting.filter(isMeant)) waiter.answer(why);
    this.#waiting = this.#waiting.filter((waiter) => !isMeant(waiter));
  }

  #take({ client, group, recipient, id, max }) {
    let ready = this.#inOrder(group, recipient);
    if (id) {
      const named = [...ready].filter((copy) => copy.message.id === id);
      ready = named.sort((a, b) => a.message.seq - b.message.seq).slice(0, 1);
    }
    return fitting(ready, max, shown).map(({ item, message }) => ({ ...message, tag: this.#hold(item, client) }));
  }

  #hold(copy, client) {
    const tag = randomUUID();
    copy.hold = { tag, client };
    this.#held.set(tag, copy);
    this.#lease(tag, this.policy.lease_ms);
    return tag;
  }

  /** Of several ends that a lease was given, the last one counts. */
  #lease(tag, millis) {
    const until = this.agenda.now + millis;
    this.#held.get(tag).hold.until = until;
    this.agenda.at(until, () => {
      const copy = this.#held.get(tag);
      if (copy?.hold.until === until) this.#failed(copy, until, until, "the lease of the last delivery expired");
    });
  }

  peek({ max, group, recipient, after }) {
    const ready = [...this.#inOrder(group, recipient)];
    const start = after ? ready.findLastIndex((copy) => copy.message.id === after) + 1 || ready.length : 0;
    return fitting(ready.slice(start), max, shown).map(({ message }) => message);
  }

  // How deliveries end.

  #own(client, tag) {
    const copy = this.#held.get(tag);
    if (copy?.hold.client === client) return copy;
    throw new Refusal(code.stale, "the tag names no delivery that this client holds");
  }

  settle(client, { tag, verdict, reason, delay_ms }) {
    const copy = this.#own(client, tag);
    const { now } = this.agenda;
    const kept = reason && Array.from(reason).slice(0, 4096).join("");
    if (verdict === "retry") {
      const rests = this.policy.backoff_ms;
      const rest = delay_ms ?? rests[Math.min(copy.used, rests.length - 1)] ?? 0;
      this.#failed(copy, now, now + rest, "the last delivery ended in retry", kept);
    } else if (verdict === "dead") {
      this.#bury(copy, now, kept ?? copy.reason ?? "given up, and nobody said why");
    } else {
      this.#letGo(copy);
      this.#remove(copy);
    }
  }

  extend(client, { tag, lease_ms }) {
    this.#own(client, tag);
    this.#lease(tag, lease_ms);
  }

  /** What a client holds comes back; a lost one has used up an attempt. */
  release(client, isLost) {
    const { now } = this.agenda;
    for (const copy of [...this.#held.values()].filter((copy) => copy.hold.client === client)) {
      if (isLost) this.#failed(copy, now, now, "the connection was lost during the last delivery");
      else this.#comeBack(copy, now);
    }
  }

  #letGo(copy) {
    this.#held.delete(copy.hold.tag);
    copy.hold = undefined;
  }

  #failed(copy, at, dueAt, why, reason) {
    copy.reason = reason ?? copy.reason;
    if (copy.used + 1 >= this.policy.max_attempts) {
      this.#bury(copy, at, copy.reason ?? `attempts used up: ${why}`);
    } else {
      copy.used += 1;
      this.#comeBack(copy, dueAt);
    }
  }

  /** To its old place, unless its time is over by now. */
  #comeBack(copy, dueAt) {
    this.#letGo(copy);
    copy.dueAt = dueAt;
    this.agenda.wakeAt(dueAt);
    if (copy.message.expiresAt <= this.agenda.now) this.#expire(copy.message.seq);
  }

  // Dead letters.

  #bury(copy, at, reason) {
    const { message: { id, body, priority, to, ttl }, group, used } = copy;
    this.#letGo(copy);
    this.#remove(copy);
    this.#letters.push({ content: { id, body, priority, to, ttl }, group, reason, attempts: used + 1, at });
  }

  #lettersOf(group) {
    return this.#letters.filter((letter) => group === undefined || letter.group === group);
  }

  letters({ max, group }) {
    const told = ({ content, reason, attempts, at, group }) => ({
      id: content.id, ...written(content.body), priority: content.priority, reason, attempts, died_at: utcText(at),
      group: group || null,
    });
    return fitting(this.#lettersOf(group), max, told).map(({ message }) => message);
  }

  replay({ id, group }) {
    const letter = this.#lettersOf(group).find(({ content }) => content.id === id);
    if (!letter) throw new Refusal(code.notFound, `there is no dead letter ${id}`);
    this.#makeRoom(false);
    this.#letters.splice(this.#letters.indexOf(letter), 1);
    this.#enter(letter.content, 0, [letter.group]);
  }

  // Numbers.

  depth(group) {
    const copies = this.#levels(group).flatMap((level) => [...level.values()]);
    const leased = copies.filter((copy) => copy.hold).length;
    const ready = copies.filter((copy) => this.#isReady(copy)).length;
    return { ready, leased, delayed: copies.length - leased - ready, dead: this.#lettersOf(group).length };
  }

  purge({ group, dead }) {
    const gone = dead ? this.#lettersOf(group) : this.#readyOf(group);
    if (dead) this.#letters = this.#letters.filter((letter) => !gone.includes(letter));
    else for (const copy of gone) this.#remove(copy);
    return gone.length;
  }

  #readyOf(group) {
    const copies = [...this.#messages.values()].flatMap((message) => [...message.copies.values()]);
    return copies.filter((copy) => this.#isReady(copy) && (group === undefined || copy.group === group));
  }

  sweep() {
    const expired = this.#expired;
    this.#expired = 0;
    return expired;
  }
}
