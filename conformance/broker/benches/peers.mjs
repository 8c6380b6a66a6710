// The whole life of messages of 600 bytes in plainjob: sent, claimed, done.
//
//     npm install plainjob better-sqlite3 && node peers.mjs [FOLDER]
//
// In batches of 100 where it has batches, at the durability that it comes with.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { better, defineQueue } from "plainjob";

const COUNT = 20_000;
const BODY = "x".repeat(600);

function life(base) {
  const folder = mkdtempSync(join(base, "plainjob-"));
  const database = new Database(join(folder, "queue.db"));
  const quiet = { error() {}, warn() {}, info() {}, debug() {} };
  const queue = defineQueue({ connection: better(database), logger: quiet });
  const start = process.hrtime.bigint();
  for (let sent = 0; sent < COUNT; sent += 100) {
    queue.addMany("bench", Array(100).fill(BODY));
  }
  let done = 0;
  for (let job; (job = queue.getAndMarkJobAsProcessing("bench")); done += 1) {
    queue.markJobAsDone(job.id);
  }
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  if (done !== COUNT) throw new Error(`${done} of ${COUNT} done`);
  queue.close();
  rmSync(folder, { recursive: true });
  return COUNT / seconds;
}

const rates = Array.from({ length: 5 }, () => life(process.argv[2] ?? tmpdir())).sort((a, b) => a - b);
const [least, , median, , most] = rates.map((rate) => rate.toFixed(0));
console.log(`plainjob, sent in batches of 100 (NORMAL): ${median}/s (${least}–${most})`);
