#!/usr/bin/env node
// A message broker in memory that speaks the adapter protocol (../../broker/ADAPTER.md).
//
//     node broker.mjs
//
// Every request is one step, worked on to its end before the next: a shape that reads its parameters, and what is done
// with them. Before a step, what is due by then happens; after it, those who wait are looked at. Only a fetch waits.

import { Agenda } from "./agenda.mjs";
import { Queue } from "./queue.mjs";
import * as p from "./protocol.mjs";

/** Open clients, by name. @type {Set<string>} */
const clients = new Set();
/** By tenant and name, between which stands what no name can hold. @type {Map<string, Queue>} */
const queues = new Map();
/** For each tenant its agents. @type {Map<string, Map<string, {moment: string, arrived: number, state: object}>>} */
const present = new Map();

const agenda = new Agenda(() => step(() => {}));

const claims = [
  "core", "priority", "fifo", "lease", "extend", "attempts", "dead-letter", "replay", "backoff", "ttl", "delay",
  "dedupe", "groups", "addressing", "tenancy", "max-length", "purge", "presence", "wait", "large", "batch", "browse",
];

// Shapes.

const client = p.name;
const queue = p.object({ tenant: p.optional(p.tenantName, ""), name: p.queueName });
const group = p.optional(p.name, "");
const anyGroup = p.optional(p.name);
const recipient = p.optional(p.name);
const max = p.integer(1);

// Methods. A client must be open and a queue declared before `run` is called, but for the one that opens or declares.

const methods = {
  initialize: {
    shape: { contract: p.oneOf("1") },
    run: () => ({
      contract: "1",
      name: "node-memory",
      version: "1",
      language: "JavaScript",
      capabilities: claims,
      limits: { max_priority: 10, max_message_bytes: p.maxBody },
      choices: { same_id_other_body: "conflict" },
    }),
  },

  open: {
    shape: { client },
    isFirst: true,
    run({ client }) {
      if (clients.has(client)) throw new p.Refusal(p.code.conflict, `client ${client} is open already`);
      clients.add(client);
    },
  },

  close: {
    shape: { client, mode: p.oneOf("graceful", "abort") },
    run({ client, mode }) {
      clients.delete(client);
      for (const queue of queues.values()) {
        queue.release(client, mode === "abort");
        queue.dismiss(new p.Refusal(p.code.unavailable, "the client was closed"), client);
      }
    },
  },

  declare: {
    shape: { client, queue, policy: p.policy },
    isFirst: true,
    run({ client, queue: name, policy }) {
      mustBeOpen(client);
      const queue = queues.get(keyOf(name)) ?? new Queue(policy, agenda);
      if (JSON.stringify(queue.policy) !== JSON.stringify(policy)) {
        throw new p.Refusal(p.code.conflict, `queue ${name.name} is declared with another policy`);
      }
      queues.set(keyOf(name), queue);
    },
  },

  delete: {
    shape: { client, queue },
    run({ queue: name }, queue) {
      queues.delete(keyOf(name));
      queue.dismiss(new p.Refusal(p.code.notFound, `queue ${name.name} was deleted`));
    },
  },

  publish: { shape: { client, queue, ...p.message }, run: (asked, queue) => ({ outcome: publish(asked, queue) }) },

  publish_batch: {
    shape: { client, queue, items: p.list(p.anything) },
    run: ({ items }, queue) => ({ outcomes: items.map((item, index) => outcome(item, `items[${index}]`, queue)) }),
  },

  fetch: {
    shape: { client, queue, consumer: p.text, max, wait_ms: p.integer(0), group, recipient, id: p.optional(p.id) },
    run({ wait_ms, ...asked }, queue, answer) {
      const told = (came) =>
        answer(came instanceof p.Refusal ? { error: errorOf(came) } : { result: { deliveries: came } });
      queue.wait({ ...asked, until: agenda.now + wait_ms, answer: told });
      return waits;
    },
  },

  peek: {
    shape: { client, queue, max, group, recipient, after: p.optional(p.id) },
    run: (asked, queue) => ({ messages: queue.peek(asked) }),
  },

  settle: {
    shape: {
      client,
      queue,
      tag: p.text,
      verdict: p.oneOf("done", "retry", "dead"),
      reason: p.optional(p.text),
      delay_ms: p.optional(p.integer(0)),
    },
    run: (asked, queue) => queue.settle(asked.client, asked),
  },

  extend: {
    shape: { client, queue, tag: p.text, lease_ms: p.integer(1) },
    run: (asked, queue) => queue.extend(asked.client, asked),
  },

  depth: { shape: { client, queue, group }, run: ({ group }, queue) => queue.depth(group) },

  dead_letters: {
    shape: { client, queue, max, group: anyGroup },
    run: (asked, queue) => ({ letters: queue.letters(asked) }),
  },

  replay: { shape: { client, queue, id: p.id, group: anyGroup }, run: (asked, queue) => queue.replay(asked) },

  purge: {
    shape: { client, queue, group: anyGroup, dead: p.optional(p.flag, false) },
    run: (asked, queue) => ({ removed: queue.purge(asked) }),
  },

  sweep: { shape: { client, queue }, run: (_, queue) => ({ expired: queue.sweep() }) },

  heartbeat: {
    shape: { client, update: p.anyObject, tenant: p.optional(p.tenantName, "") },
    run({ update, tenant }) {
      const { timestamp, ...state } = stateOf(update);
      const moment = timestamp ?? p.utcText(agenda.now);
      const agents = present.get(tenant) ?? new Map();
      present.set(tenant, agents);
      const known = agents.get(state.agent_id);
      if (!known || moment >= known.moment) agents.set(state.agent_id, { moment, arrived: agenda.now, state });
    },
  },

  agents: {
    shape: { client, offline_after_ms: p.optional(p.integer(1), 180_000), tenant: p.optional(p.tenantName, "") },
    run({ offline_after_ms, tenant }) {
      const agents = [...(present.get(tenant)?.values() ?? [])].map(({ moment, arrived, state }) => {
        const isSilent = agenda.now - arrived >= offline_after_ms;
        return { ...state, status: isSilent ? "offline" : state.status, last_heartbeat: moment };
      });
      return { agents: agents.sort((a, b) => (a.agent_id < b.agent_id ? -1 : 1)) };
    },
  },

  shutdown: {
    shape: {},
    run() {
      for (const queue of queues.values()) queue.dismiss(new p.Refusal(p.code.unavailable, "the broker was shut down"));
      agenda.stop();
      isRunning = false;
    },
  },
};

const keyOf = ({ tenant, name }) => `${tenant}/${name}`;

function mustBeOpen(client) {
  if (!clients.has(client)) throw new p.Refusal(p.code.notFound, `client ${client} is not open`);
}

function publish(asked, queue) {
  const most = queue.policy.max_priority;
  const { priority = Math.floor((most + 1) / 2) } = asked;
  p.integer(1, most)(priority, "priority");
  return queue.publish({ ...asked, priority }, p.bytesOf(asked));
}

/** One bad item spares its neighbours. */
function outcome(item, where, queue) {
  try {
    return publish(p.object(p.message)(item, where), queue);
  } catch (error) {
    return errorOf(error);
  }
}

/** What an agent says of itself, by the names by which others are told. */
function stateOf(update) {
  if (Object.hasOwn(update, "agent_id")) return p.statusUpdate(update, "update");
  const { agent, current_task, ...rest } = p.health(update, "update");
  return { agent_id: agent, current_task_id: current_task, ...rest };
}

// Steps.

let isRunning = true;

/** @param {() => void} work */
function step(work) {
  agenda.run();
  serve();
  work();
  serve();
  if (isRunning) agenda.sleep();
}

function serve() {
  for (const queue of queues.values()) queue.serve();
}

/** A refusal as the protocol has it; what is none is a mistake in here, and nobody knows how far it got. */
function errorOf(error) {
  if (!(error instanceof p.Refusal)) console.error(error);
  return { code: error instanceof p.Refusal ? error.code : p.code.unavailable, message: error.message };
}

/** @param {Buffer} line */
function work(line) {
  let id = null;
  const answer = (content) => process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", id, ...content })}\n`);
  try {
    const request = p.parse(line);
    id = request.id;
    const result = call(request, answer);
    if (result !== waits) answer({ result: result ?? {} });
  } catch (error) {
    answer({ error: errorOf(error) });
  }
}

const waits = Symbol("answered later");

function call({ method, params }, answer) {
  if (!Object.hasOwn(methods, method)) throw new p.Refusal(-32601, `there is no method ${method.slice(0, 80)}`);
  const { shape, run, isFirst } = methods[method];
  const asked = p.object(shape)(params ?? {}, "");
  if (isFirst) return run(asked);
  if (shape.client) mustBeOpen(asked.client);
  const queue = shape.queue && queues.get(keyOf(asked.queue));
  if (shape.queue && !queue) throw new p.Refusal(p.code.notFound, `queue ${asked.queue.name} is not declared`);
  return run(asked, queue, answer);
}

for await (const line of p.lines(process.stdin)) {
  step(() => work(line));
  if (!isRunning) break;
}
agenda.stop();
// The exit waits until the last answer is out, and not for an input that may never end.
process.stdout.write("", () => process.exit(0));
