// The same for BullMQ alone, without an adapter and without the suite. `findings --alone` runs this.

import { createRequire } from "node:module";

const { Queue, Worker } = createRequire(`${process.cwd()}/`)("bullmq");
const connection = { host: "127.0.0.1", port: Number(process.env.REDIS_PORT), maxRetriesPerRequest: null };
const queue = new Queue("alone", { connection });
const limits = { maxStalledCount: 2, maxStartedAttempts: 3 };
const worker = new Worker("alone", null, { connection, lockDuration: 200, stalledInterval: 100, ...limits });
worker.on("error", (error) => console.error(error));
await worker.waitUntilReady();
worker.startStalledCheckTimer();

await queue.add("kills its worker", {}, { attempts: 3 });
const started = [];
const end = Date.now() + 20_000;
while (started.length < 10 && Date.now() < end) {
  const job = await worker.getNextJob("of one who dies", { block: false });
  if (job) started.push(job.attemptsStarted);
  await new Promise((resolve) => setTimeout(resolve, 20));
}
const told = "attempts 3, maxStalledCount 2, fetched by hand and never settled, it was started";
console.log(`bullmq: ${told}: ${started}`);

await queue.obliterate({ force: true });
await queue.add("given back", {}, { attempts: 3 });
await (await worker.getNextJob("first", { block: false })).moveToWait("first");
const again = await worker.getNextJob("second", { block: false });
const counted = `${again.attemptsStarted}, ${again.attemptsMade}`;
console.log(`bullmq: given back by moveToWait, it was started and failed: ${counted}`);
process.exit(0);
