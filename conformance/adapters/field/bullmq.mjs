#!/usr/bin/env node
// BullMQ on Redis, by its pattern for jobs that are fetched by hand
// (https://docs.bullmq.io/patterns/manually-fetching-jobs): getNextJob, moveToCompleted, moveToFailed, extendLock.
//
//     REDIS_PORT=6379 node bullmq.mjs
//
// A client is a worker of its own for each queue, with the stalled checker that the pattern asks for. Options are
// the queue's policy: attempts, backoff, lockDuration; the checker looks twice in a lock's time. Of one id there is
// one job in dedupe_ms (`deduplication`, https://docs.bullmq.io/guide/jobs/deduplication). Dead letters are the failed
// jobs.

import { randomUUID } from "node:crypto";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

// From the folder in which it was started: the packages are not installed beside this file.
const { Queue, UnrecoverableError, Worker } = createRequire(`${process.cwd()}/`)("bullmq");
const version = createRequire(`${process.cwd()}/`)("bullmq/package.json").version;

const connection = { host: "127.0.0.1", port: Number(process.env.REDIS_PORT), maxRetriesPerRequest: null };
const claims = "core fifo lease extend attempts dead-letter replay backoff delay dedupe priority large".split(" ");
const code = { unsupported: 1, invalid: 2, stale: 3, unavailable: 5, notFound: 6, conflict: 7 };
const maxBody = 1_048_576;
const defaults = {
  max_priority: 5, max_attempts: 3, lease_ms: 30_000, backoff_ms: [], ttl_ms: null, max_length: null,
  overflow: "reject", dedupe_ms: 300_000,
};
const queues = new Map(); // by name: { policy, queue }
const clients = new Map(); // by name: { workers: by queue, held: by tag }

class Refused extends Error {
  constructor(why, message) {
    super(message);
    this.code = why;
  }
}

function known(name) {
  if (!queues.has(name)) throw new Refused(code.notFound, `queue ${name} is not declared`);
  return queues.get(name);
}

/** Removed when it is done, since else it would be kept for ever; failed ones stay. */
function jobOptions({ policy }, id, priority, delay) {
  const custom = policy.backoff_ms.length > 0 ? { backoff: { type: "custom" } } : {};
  const once = policy.dedupe_ms > 0 ? { deduplication: { id, ttl: policy.dedupe_ms } } : {};
  const always = { jobId: randomUUID(), attempts: policy.max_attempts, removeOnComplete: true };
  return { ...always, priority, delay, ...custom, ...once };
}

async function workerOf(client, name) {
  const { policy } = known(name);
  if (!client.workers.has(name)) {
    const worker = new Worker(name, null, {
      connection, lockDuration: policy.lease_ms, stalledInterval: Math.ceil(Math.min(policy.lease_ms / 2, 500)),
      maxStalledCount: policy.max_attempts - 1, maxStartedAttempts: policy.max_attempts,
      settings: { backoffStrategy: (made) => policy.backoff_ms[Math.min(made, policy.backoff_ms.length) - 1] ?? 0 },
    });
    worker.on("error", (error) => console.error(String(error)));
    client.workers.set(name, worker);
    await worker.waitUntilReady();
    worker.startStalledCheckTimer();
  }
  return client.workers.get(name);
}

const shown = ({ data }) => ({ id: data.id, body: data.body, encoding: "base64", priority: data.priority });

const methods = {
  initialize: () => ({
    contract: "1", name: "BullMQ on Redis", version, language: "JavaScript", capabilities: claims,
    limits: { max_priority: 10, max_message_bytes: maxBody }, choices: { retry_place: "back" },
  }),

  open({ client }) {
    if (clients.has(client)) throw new Refused(code.conflict, `client ${client} is open already`);
    clients.set(client, { workers: new Map(), held: new Map() });
  },

  /** Who leaves moves what is held back to where it waited. Who vanishes says nothing. */
  async close({ client, mode }) {
    const { workers, held } = clients.get(client);
    clients.delete(client);
    if (mode === "graceful") {
      for (const [tag, { job }] of held) {
        await job.moveToWait(tag).catch((error) => console.error(String(error)));
      }
    }
    await Promise.all([...workers.values()].map((worker) => worker.close(mode === "abort")));
  },

  declare({ queue, policy }) {
    const all = { ...defaults, ...policy };
    const least = { max_priority: 1, max_attempts: 1, lease_ms: 1, dedupe_ms: 0, ttl_ms: 1, max_length: 1 };
    for (const [member, number] of Object.entries(least)) {
      const tooFew = all[member] !== null && all[member] < number;
      if (tooFew) throw new Refused(code.invalid, `${member}: at least ${number}`);
    }
    if (all.max_priority > 10) throw new Refused(code.invalid, "max_priority: at most 10");
    if (all.backoff_ms.some((rest) => rest < 0)) throw new Refused(code.invalid, "backoff_ms: at least 0");
    const there = queues.get(queue);
    if (there && JSON.stringify(there.policy) !== JSON.stringify(all)) {
      throw new Refused(code.conflict, `queue ${queue} is declared with another policy`);
    }
    queues.set(queue, there ?? { policy: all, queue: new Queue(queue, { connection }) });
  },

  async publish({ queue, id, body, encoding, priority, delay_ms }) {
    const { policy, queue: it } = known(queue);
    const data = encoding === "base64" ? body : Buffer.from(body).toString("base64");
    if (Buffer.byteLength(data, "base64") > maxBody) throw new Refused(code.invalid, `body: at most ${maxBody} bytes`);
    const urgency = priority ?? Math.floor((policy.max_priority + 1) / 2);
    // The lower the more urgent there, from 1 on.
    const options = jobOptions({ policy }, id.toLowerCase(), 11 - urgency, delay_ms);
    const job = await it.add("work", { id: id.toLowerCase(), body: data, priority: urgency }, options);
    return { outcome: job.id === options.jobId ? "stored" : "duplicate" };
  },

  async fetch({ client, queue, max }) {
    const worker = await workerOf(clients.get(client), queue);
    const deliveries = [];
    let size = 0;
    while (deliveries.length < max && size < 8 * maxBody) {
      const tag = randomUUID();
      const job = await worker.getNextJob(tag, { block: false });
      if (!job) break;
      clients.get(client)?.held.set(tag, { queue, job });
      deliveries.push({ tag, ...shown(job), attempt: job.attemptsStarted });
      size += job.data.body.length;
    }
    return { deliveries };
  },

  async settle({ client, queue, tag, verdict, reason, delay_ms }) {
    known(queue);
    const { job } = held(client, queue, tag);
    if (verdict === "done") await job.moveToCompleted("", tag, false);
    else if (verdict === "dead") await job.moveToFailed(new UnrecoverableError(reason), tag, false);
    else if (delay_ms === undefined) await job.moveToFailed(new Error(reason), tag, false);
    else await job.moveToDelayed(Date.now() + delay_ms, tag);
    clients.get(client).held.delete(tag);
  },

  async extend({ client, queue, tag, lease_ms }) {
    const extended = await held(client, queue, tag).job.extendLock(tag, lease_ms);
    if (!extended) throw new Refused(code.stale, "the lock is lost");
  },

  async depth({ queue }) {
    const states = ["wait", "prioritized", "active", "delayed", "failed"];
    const { wait, prioritized, active, delayed, failed } = await known(queue).queue.getJobCounts(...states);
    return { ready: wait + prioritized, leased: active, delayed, dead: failed };
  },

  async dead_letters({ queue, max }) {
    const jobs = await known(queue).queue.getFailed(0, max - 1);
    const moment = (time) => ({ died_at: new Date(time).toISOString() });
    return { letters: jobs.reverse().map((job) => ({
      ...shown(job), reason: job.failedReason ?? "", attempts: job.attemptsStarted, ...moment(job.finishedOn),
    })) };
  },

  async replay({ queue, id }) {
    const job = (await known(queue).queue.getFailed()).findLast(({ data }) => data.id === id.toLowerCase());
    if (!job) throw new Refused(code.notFound, `there is no letter ${id}`);
    await job.retry("failed", { resetAttemptsMade: true, resetAttemptsStarted: true });
  },

  async delete({ queue }) {
    await known(queue).queue.obliterate({ force: true });
    queues.delete(queue);
  },

  shutdown: () => {},
};

function held(client, queue, tag) {
  const delivery = clients.get(client).held.get(tag);
  if (delivery?.queue !== queue) throw new Refused(code.stale, "the tag names no delivery that this client holds");
  return delivery;
}

/** What is no request of the protocol, and what is not claimed. */
function checked(method, given) {
  const asked = Object.fromEntries(Object.entries(given ?? {}).filter(([, value]) => value !== null));
  if (!Object.hasOwn(methods, method)) throw new Refused(-32601, `there is no method ${method}`);
  if (asked.client !== undefined && method !== "open" && !clients.has(asked.client)) {
    throw new Refused(code.notFound, `client ${asked.client} is not open`);
  }
  const unclaimed = ["to", "recipient", "group", "ttl_ms"].find((member) => asked[member] !== undefined)
    ?? (asked.queue?.tenant != null ? "tenant" : method === "fetch" && asked.id !== undefined ? "id" : undefined);
  if (unclaimed) throw new Refused(code.unsupported, `${unclaimed} is not claimed`);
  const isName = /^[a-z0-9][a-z0-9._-]{0,99}$/;
  if (asked.queue && !isName.test(asked.queue.name)) throw new Refused(code.invalid, "queue: no name");
  for (const [member, least] of Object.entries({ max: 1, delay_ms: 0, lease_ms: 1 })) {
    if (asked[member] < least) throw new Refused(code.invalid, `${member}: at least ${least}`);
  }
  return { ...asked, queue: asked.queue?.name };
}

/** What the library throws says what it refuses by its text: a lock that is lost, an option out of range. */
function errorOf(error) {
  if (error instanceof Refused) return { code: error.code, message: error.message };
  if (/lock|not in the active state|Missing key for job/i.test(error.message)) {
    return { code: code.stale, message: error.message };
  }
  if (/priority should be|Custom Id/i.test(error.message)) return { code: code.invalid, message: error.message };
  console.error(error);
  return { code: code.unavailable, message: String(error) };
}

const behind = new Map(); // requests of one client begin in their order
for await (const line of createInterface({ input: process.stdin })) {
  const { id, method, params } = JSON.parse(line);
  const turn = params?.client ?? "";
  const answer = async () => {
    let told;
    try {
      const asked = checked(method, params);
      told = { result: (await methods[method](asked)) ?? {} };
    } catch (error) {
      told = { error: errorOf(error) };
    }
    process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", id, ...told })}\n`);
    if (method === "shutdown") process.exit(0);
  };
  behind.set(turn, (behind.get(turn) ?? Promise.resolve()).then(answer));
}
process.exit(0);
