// What stands on the lines of the adapter protocol: what a member must be, and how bodies and times are written.

export const code = { invalid: 2, stale: 3, full: 4, unavailable: 5, notFound: 6, conflict: 7 };
export const maxBody = 1_048_576;
/** The most bytes of messages in one answer, as JSON: half a line. */
const maxAnswer = 8 * 1_048_576;

export class Refusal extends Error {
  /** @param {number} code @param {string} message */
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/**
 * A reader makes of a member what is worked with, or refuses it. One that is `optional` may be left out.
 * @typedef {((value: any, where: string) => any) & {isOptional?: boolean, otherwise?: any}} Reader
 * @typedef {Record<string, Reader>} Shape
 */

/** @returns {never} */
function wrong(where, expected, found) {
  const shown = String(JSON.stringify(found)).slice(0, 80);
  throw new Refusal(code.invalid, `${where}: expected ${expected}, found ${shown}`);
}

/** @type {Reader} */
export function text(value, where) {
  return typeof value === "string" && value.isWellFormed() ? value : wrong(where, "text", value);
}

/** @returns {Reader} */
const like = (pattern, expected) => (value, where) =>
  typeof value === "string" && pattern.test(value) ? value : wrong(where, expected, value);

export const queueName = like(/^[a-z0-9][a-z0-9._-]{0,99}$/, "1 to 100 of a-z 0-9 . _ -, a letter or digit first");
export const tenantName = like(/^[a-z0-9][a-z0-9-]{0,63}$/, "1 to 64 of a-z 0-9 -, a letter or digit first");
export const name = like(/^[A-Za-z0-9][\w.-]{0,127}$/, "1 to 128 of A-Z a-z 0-9 . _ -, a letter or digit first");
const hyphenated = like(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i, "a UUID with hyphens");
/** @type {Reader} */
export const id = (value, where) => hyphenated(value, where).toLowerCase();

/** @returns {Reader} */
export const integer = (least, most = Number.MAX_SAFE_INTEGER) => (value, where) =>
  Number.isInteger(value) && value >= least && value <= most
    ? value
    : wrong(where, `an integer from ${least} to ${most}`, value);

/** @returns {Reader} */
export const oneOf = (...values) => (value, where) =>
  values.includes(value) ? value : wrong(where, `one of ${values.join(", ")}`, value);

/** @returns {Reader} */
export const list = (reader) => (value, where) =>
  Array.isArray(value) ? value.map((item, index) => reader(item, `${where}[${index}]`)) : wrong(where, "a list", value);

/** @type {Reader} */
export const flag = (value, where) => (typeof value === "boolean" ? value : wrong(where, "true or false", value));

/** @type {Reader} */
export const anything = (value) => value;

/** @type {Reader} */
export const anyObject = (value, where) =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? value : wrong(where, "an object", value);

/** @returns {Reader} */
export function optional(reader, otherwise = undefined) {
  return Object.assign((value, where) => reader(value, where), { isOptional: true, otherwise });
}

/**
 * Reads an object by its shape. What has no reader is ignored; null is absence.
 * @param {Shape} shape @returns {Reader}
 */
export const object = (shape) => (value, where) => {
  anyObject(value, where);
  const read = {};
  for (const [member, reader] of Object.entries(shape)) {
    const place = where ? `${where}.${member}` : member;
    const found = Object.hasOwn(value, member) ? value[member] : null;
    if (found !== null) read[member] = reader(found, place);
    else if (reader.isOptional) read[member] = reader.otherwise;
    else wrong(place, "a value", found);
  }
  return read;
};

/** A moment in UTC with nine digits of fraction: of two such texts the lesser is the earlier. @type {Reader} */
export function moment(value, where) {
  const parts = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)?$/.exec(value);
  if (!parts || typeof value !== "string") return wrong(where, "a time like 2026-03-01T09:30:00.250Z", value);
  const [, local, fraction = "", zone = "Z"] = parts;
  const asUtc = Date.parse(`${local}Z`);
  // Date.parse takes the 30th of February for the 2nd of March.
  if (Number.isNaN(asUtc) || new Date(asUtc).toISOString().slice(0, 19) !== local || local.startsWith("0000")) {
    return wrong(where, "a time of the calendar", value);
  }
  const at = Date.parse(local + zone);
  if (at < Date.parse("0001-01-01T00:00:00Z") || at > Date.parse("9999-12-31T23:59:59Z")) {
    return wrong(where, "a time of the years 0001 to 9999", value);
  }
  return `${new Date(at).toISOString().slice(0, 19)}.${fraction.padEnd(9, "0")}Z`;
}

export const policy = object({
  max_priority: optional(integer(1, 10), 5),
  max_attempts: optional(integer(1), 3),
  lease_ms: optional(integer(1), 30_000),
  backoff_ms: optional(list(integer(0)), []),
  ttl_ms: optional(integer(1)),
  max_length: optional(integer(1)),
  overflow: optional(oneOf("reject", "drop-oldest"), "reject"),
  dedupe_ms: optional(integer(0), 300_000),
});

/** @type {Shape} */
export const message = {
  id: id,
  body: text,
  encoding: oneOf("utf8", "base64"),
  priority: optional(integer(1, 10)),
  ttl_ms: optional(integer(1)),
  delay_ms: optional(integer(0), 0),
  to: optional(name),
};

export const statusUpdate = object({
  agent_id: id,
  agent_type: oneOf("orchestrator", "infra", "desktop", "code", "research"),
  status: oneOf("online", "offline", "busy"),
  timestamp: moment,
  current_task_id: optional(id),
  resources: optional(anyObject, {}),
});

export const health = object({
  agent: name,
  status: oneOf("active", "idle", "degraded", "failed"),
  timestamp: optional(moment),
  current_task: optional(text),
  messages_pending: optional(integer(0)),
  messages_processed: optional(integer(0)),
  error_count: optional(integer(0)),
});

/** @param {number} millis */
export const utcText = (millis) => moment(new Date(millis).toISOString(), "");

/** @param {{body: string, encoding: string}} written */
export function bytesOf({ body, encoding }) {
  const bytes = Buffer.from(body, encoding);
  // Buffer leaves out what is no base64; written again it shows.
  if (encoding === "base64" && bytes.toString("base64") !== body) wrong("body", "base64 with its padding", body);
  if (bytes.length > maxBody) wrong("body", `at most ${maxBody} bytes`, bytes.length);
  return bytes;
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Text where it is text, else base64. @param {Buffer} bytes */
export function written(bytes) {
  try {
    return { body: utf8.decode(bytes), encoding: "utf8" };
  } catch {
    return { body: bytes.toString("base64"), encoding: "base64" };
  }
}

/**
 * The first of them, as many as fit into an answer, but always one.
 * @template T @param {Iterable<T>} items @param {number} max @param {(item: T) => object} shown
 */
export function fitting(items, max, shown) {
  const found = [];
  let size = 0;
  for (const item of items) {
    if (found.length === max) break;
    const message = shown(item);
    size += Buffer.byteLength(JSON.stringify(message));
    if (found.length > 0 && size > maxAnswer) break;
    found.push({ item, message });
  }
  return found;
}

/** Whole lines of a stream, as text. @param {AsyncIterable<Buffer>} stream */
export async function* lines(stream) {
  let parts = [];
  for await (const chunk of stream) {
    let from = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      parts.push(chunk.subarray(from, end));
      yield Buffer.concat(parts);
      parts = [];
      from = end + 1;
    }
    parts.push(chunk.subarray(from));
  }
}

/** @param {Buffer} line */
export function parse(line) {
  let request;
  try {
    request = JSON.parse(utf8.decode(line));
  } catch (error) {
    throw new Refusal(-32700, `not JSON: ${error.message}`);
  }
  const hasId = typeof request?.id === "string" || Number.isInteger(request?.id);
  if (!hasId || typeof request.method !== "string") throw new Refusal(-32600, "expected a request with id and method");
  return request;
}
