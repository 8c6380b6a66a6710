#!/usr/bin/env node
// A message broker in memory that speaks the adapter protocol (../../broker/ADAPTER.md).
//
//     node broker.mjs
//
// A queue is one list. It has each message once for each group, in the order in which they are fetched, and
// what is to be found is looked for from the beginning: slow with a hundred thousand messages, easy to trust.

import { randomUUID } from "node:crypto";

const claims = ("core priority fifo lease extend attempts dead-letter replay backoff delay dedupe groups "
  + "addressing tenancy browse wait purge large").split(" ");
const code = { unsupported: 1, invalid: 2, stale: 3, unavailable: 5, notFound: 6, conflict: 7 };
const maxBody = 1_048_576;
const maxAnswer = 8 * maxBody; // base64 adds a third, and a line has 16 MiB

// What a member must be: a pattern of its JSON, or the names of its own members. Of those one with ? may be
// left out, and one with ! is for what is not claimed.
const name = /^"[A-Za-z0-9][\w.-]{0,127}"$/;
const uuid = /^"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"$/i;
const [text, count, some] = [/^"/, /^\d{1,15}$/, /^[1-9]\d{0,14}$/];
const rules = {
  contract: /^"1"$/, client: name, group: name, recipient: name, to: name, consumer: text, tag: text,
  queue: "tenant? name", tenant: /^"[a-z0-9][a-z0-9-]{0,63}"$/, name: /^"[a-z0-9][a-z0-9._-]{0,99}"$/,
  policy: "max_priority? max_attempts? lease_ms? backoff_ms? dedupe_ms? overflow? ttl_ms! max_length!",
  max_priority: /^([1-9]|10)$/, max_attempts: some, lease_ms: some, dedupe_ms: count, dead: /^(true|false)$/,
  backoff_ms: /^\[(\d{1,15}(,\d{1,15})*)?\]$/, overflow: /^"(reject|drop-oldest)"$/,
  id: uuid, after: uuid, body: text, encoding: /^"(utf8|base64)"$/, priority: some, delay_ms: count,
  max: some, wait_ms: count, verdict: /^"(done|retry|dead)"$/, reason: text, mode: /^"(graceful|abort)"$/,
};
const defaults = {
  max_priority: 5, max_attempts: 3, lease_ms: 30_000, backoff_ms: [], dedupe_ms: 300_000, overflow: "reject",
};

/** A refusal is thrown as it is answered. What is thrown as an Error is a mistake in here. */
function refuse(code, message) {
  throw { code, message };
}

/** What is named. Other members are ignored, and null is absence. */
function read(given, names, where) {
  if (JSON.stringify(given)?.[0] !== "{") refuse(code.invalid, `${where}: expected an object`);
  const found = {};
  for (const [, name, mark] of names.matchAll(/(\w+)([?!]?)/g)) {
    const value = Object.hasOwn(given, name) ? given[name] : null;
    const place = `${where}.${name}`;
    if (value === null && mark === "") refuse(code.invalid, `${place}: required`);
    if (value === null) continue;
    if (mark === "!") refuse(code.unsupported, `${place} is not supported`);
    const [rule, json] = [rules[name], JSON.stringify(value)];
    const isRight = typeof rule === "string" || (rule.test(json) && String(value).isWellFormed());
    if (!isRight) refuse(code.invalid, `${place}: expected ${rule}, found ${json.slice(0, 80)}`);
    if (typeof rule === "string") found[name] = read(value, rule, place);
    else found[name] = rule === uuid ? value.toLowerCase() : value;
  }
  return found;
}

// Messages, and what happens to them. A copy is what a group has of a message; one with a tag is held.

const clients = new Set();
const queues = new Map();
let waiting = [];
let lastSeq = 0;
let now = performance.timeOrigin + performance.now();

const isOf = (group) => (copy) => group === undefined || copy.group === group;
const isReady = (copy) => !copy.tag && copy.dueAt <= now;
const remove = (list, item) => list.splice(list.indexOf(item), 1);

/** What a group has; of one that is not there yet, what it will have. */
function copiesOf(queue, group) {
  if (queue.groups.has(group)) return queue.copies.filter(isOf(group));
  const messages = [...new Set(queue.copies.map((copy) => copy.message))];
  return messages.map((message) => ({ message, group, used: 0, dueAt: message.dueAt }));
}

/** Behind what is as urgent and older. */
function insert({ copies }, copy) {
  const { priority, seq } = copy.message;
  const isBefore = (other) => other.priority > priority || (other.priority === priority && other.seq < seq);
  copies.splice(copies.findLastIndex((other) => isBefore(other.message)) + 1, 0, copy);
}

/** A new message at the end of its priority. */
function enter(queue, content, groups, delay) {
  const message = { ...content, seq: ++lastSeq, dueAt: now + delay };
  for (const group of groups) insert(queue, { message, group, used: 0, dueAt: message.dueAt });
}

function readyFor(queue, { group = "", recipient }) {
  const isFor = ({ to }) => to === undefined || to === recipient;
  return copiesOf(queue, group).filter((copy) => isReady(copy) && isFor(copy.message));
}

/** As base64 always: so nobody has to find out whether the bytes are text. */
const shown = ({ message: { id, body, priority } }, more) =>
  ({ id, body: body.toString("base64"), encoding: "base64", priority, ...more });

/** As many as fit into an answer. */
function fitting(items, max) {
  let size = 0;
  const sizeOf = ({ message, reason = "" }) => message.body.length + 6 * reason.length + 300;
  const end = items.findIndex((item) => (size += sizeOf(item)) > maxAnswer);
  return items.slice(0, end < 0 ? max : Math.min(end, max));
}

/** A delivery ends, and the copy is back at its old place. */
function giveBack(copy, dueAt) {
  Object.assign(copy, { tag: undefined, client: undefined, until: undefined, dueAt });
}

function bury(queue, copy, at, reason) {
  remove(queue.copies, copy);
  queue.letters.push({ ...copy, reason, used: copy.used + 1, at });
}

/** An attempt is used up, perhaps the last. */
function fail(queue, copy, at, why, rest = 0) {
  if (copy.used + 1 >= queue.policy.max_attempts) {
    bury(queue, copy, at, copy.reason ?? `attempts used up: ${why}`);
  } else {
    copy.used += 1;
    giveBack(copy, at + rest);
  }
}

function held(queue, { client, tag }) {
  const copy = queue.copies.find((copy) => copy.tag === tag && copy.client === client);
  if (!copy) refuse(code.stale, "the tag names no delivery that this client holds");
  return copy;
}

/** Of several with the id that is asked for, the oldest alone. */
function take(queue, { client, group, recipient, id, max }) {
  const ready = readyFor(queue, { group, recipient }).filter((copy) => !id || copy.message.id === id);
  if (id) ready.sort((a, b) => a.message.seq - b.message.seq).splice(1);
  return fitting(ready, max).map((copy) => {
    Object.assign(copy, { tag: randomUUID(), client, until: now + queue.policy.lease_ms });
    return shown(copy, { tag: copy.tag, attempt: copy.used + 1 });
  });
}

// The methods: what each is asked, and what it does. Client and queue are looked up before.
const methods = {
  initialize: ["contract", () => ({
    contract: "1", name: "node-memory", version: "1", language: "JavaScript", capabilities: claims,
    limits: { max_priority: 10, max_message_bytes: maxBody },
  })],
  open: ["client", ({ client }) => {
    if (clients.has(client)) refuse(code.conflict, `client ${client} is open already`);
    clients.add(client);
  }],
  close: ["client mode", ({ client, mode }) => {
    clients.delete(client);
    for (const queue of queues.values()) {
      for (const copy of queue.copies.filter((copy) => copy.client === client)) {
        if (mode === "graceful") giveBack(copy, now);
        else fail(queue, copy, now, "the connection was lost during the last delivery");
      }
    }
    dismiss((waiter) => waiter.client === client, code.unavailable, "the client was closed");
  }],
  declare: ["client queue policy", ({ key, policy: given }, declared) => {
    const policy = { ...defaults, ...given };
    const queue = declared ?? { policy, groups: new Set([""]), copies: [], letters: [], seen: new Map() };
    if (JSON.stringify(queue.policy) !== JSON.stringify(policy)) {
      refuse(code.conflict, `queue ${key} is declared with another policy`);
    }
    queues.set(key, queue);
  }],
  publish: ["client queue id body encoding priority? delay_ms? to? ttl_ms!", (asked, queue) => {
    const { max_priority, dedupe_ms } = queue.policy;
    const { id, encoding, to, delay_ms = 0, priority = Math.floor((max_priority + 1) / 2) } = asked;
    if (priority > max_priority) refuse(code.invalid, `priority: expected at most ${max_priority}`);
    const body = Buffer.from(asked.body, encoding);
    // Buffer leaves out what is no base64; written again it shows.
    if (body.toString(encoding) !== asked.body) refuse(code.invalid, `body: expected ${encoding}`);
    if (body.length > maxBody) refuse(code.invalid, `body: expected at most ${maxBody} bytes`);
    if (queue.seen.has(id)) return { outcome: "duplicate" };
    queue.seen.set(id, now + dedupe_ms);
    enter(queue, { id, body, priority, to }, queue.groups, delay_ms);
    return { outcome: "stored" };
  }],
  fetch: ["client queue consumer max wait_ms group? recipient? id?", (asked, queue, answer) => {
    const { group = "", wait_ms } = asked;
    if (!queue.groups.has(group)) for (const copy of copiesOf(queue, group)) insert(queue, copy);
    queue.groups.add(group);
    waiting.push({ ...asked, queue, until: now + wait_ms, answer });
  }],
  peek: ["client queue max group? recipient? after?", ({ max, after, ...asked }, queue) => {
    const ready = readyFor(queue, asked);
    const place = ready.findLastIndex((copy) => copy.message.id === after) + 1;
    const found = fitting(ready.slice(after && place === 0 ? ready.length : place), max);
    return { messages: found.map((copy) => shown(copy, { attempt: copy.used + 1 })) };
  }],
  settle: ["client queue tag verdict reason? delay_ms?", ({ verdict, reason, delay_ms, ...asked }, queue) => {
    const copy = held(queue, asked);
    if (verdict === "done") return void remove(queue.copies, copy);
    if (reason !== undefined) copy.reason = [...reason].slice(0, 4096).join("");
    if (verdict === "dead") return bury(queue, copy, now, copy.reason ?? "given up, and nobody said why");
    const rests = queue.policy.backoff_ms;
    const rest = delay_ms ?? rests[Math.min(copy.used, rests.length - 1)] ?? 0;
    fail(queue, copy, now, "the last delivery ended in retry", rest);
  }],
  extend: ["client queue tag lease_ms", ({ lease_ms, ...asked }, queue) => {
    held(queue, asked).until = now + lease_ms;
  }],
  depth: ["client queue group?", ({ group = "" }, queue) => {
    const copies = copiesOf(queue, group);
    const leased = copies.filter((copy) => copy.tag).length;
    const ready = copies.filter(isReady).length;
    const dead = queue.letters.filter(isOf(group)).length;
    return { ready, leased, delayed: copies.length - leased - ready, dead };
  }],
  dead_letters: ["client queue max group?", ({ max, group }, queue) => {
    const letters = fitting(queue.letters.filter(isOf(group)), max);
    const more = ({ reason, used, at, group }) =>
      ({ reason, attempts: used, died_at: new Date(at).toISOString(), group: group || null });
    return { letters: letters.map((letter) => shown(letter, more(letter))) };
  }],
  replay: ["client queue id group?", ({ id, group }, queue) => {
    const letter = queue.letters.filter(isOf(group)).find(({ message }) => message.id === id);
    if (!letter) refuse(code.notFound, `there is no dead letter ${id}`);
    remove(queue.letters, letter);
    enter(queue, letter.message, [letter.group], 0);
  }],
  purge: ["client queue group? dead?", ({ group, dead }, queue) => {
    const from = dead ? queue.letters : queue.copies;
    const gone = from.filter(isOf(group)).filter((item) => dead || isReady(item));
    for (const item of gone) remove(from, item);
    return { removed: gone.length };
  }],
  delete: ["client queue", ({ key }, queue) => {
    queues.delete(key);
    dismiss((waiter) => waiter.queue === queue, code.notFound, "the queue was deleted");
  }],
  shutdown: ["", () => {
    dismiss(() => true, code.unavailable, "the broker was shut down");
    setImmediate(end);
  }],
};

// Lines in, answers out. Only a fetch waits: who can be served is looked at with each line, and every 5 ms.

function serve() {
  now = performance.timeOrigin + performance.now();
  for (const queue of queues.values()) {
    for (const [id, until] of queue.seen) if (until <= now) queue.seen.delete(id);
    const ended = queue.copies.filter((copy) => copy.until <= now).sort((a, b) => a.until - b.until);
    for (const copy of ended) fail(queue, copy, copy.until, "the lease of the last delivery expired");
  }
  waiting = waiting.filter((waiter) => {
    const deliveries = take(waiter.queue, waiter);
    if (deliveries.length === 0 && now < waiter.until) return true;
    waiter.answer({ result: { deliveries } });
    return false;
  });
}

function dismiss(isMeant, code, message) {
  for (const waiter of waiting.filter(isMeant)) waiter.answer({ error: { code, message } });
  waiting = waiting.filter((waiter) => !isMeant(waiter));
}

function workOn({ id, method, params }) {
  const answer = (content) => process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", id, ...content })}\n`);
  try {
    if (!Object.hasOwn(methods, method)) refuse(-32601, "there is no such method");
    const [names, work] = methods[method];
    const asked = read(params ?? {}, names, "params");
    if (asked.client && method !== "open" && !clients.has(asked.client)) {
      refuse(code.notFound, `client ${asked.client} is not open`);
    }
    // Between tenant and name stands what neither can hold.
    const key = asked.queue && `${asked.queue.tenant ?? ""}/${asked.queue.name}`;
    const queue = queues.get(key);
    if (key && !queue && method !== "declare") refuse(code.notFound, `queue ${key} is not declared`);
    const result = work({ ...asked, key }, queue, answer) ?? {};
    if (method !== "fetch") answer({ result });
  } catch (error) {
    if (error instanceof Error) throw error;
    answer({ error });
  }
}

const end = () => process.stdout.write("", () => process.exit(0));
setInterval(() => waiting.length > 0 && serve(), 5);
let rest = "";
for await (const chunk of process.stdin.setEncoding("utf8")) {
  const lines = (rest + chunk).split("\n");
  rest = lines.pop();
  for (const line of lines) {
    serve();
    workOn(JSON.parse(line));
  }
  serve();
}
end();
