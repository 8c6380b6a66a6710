#!/usr/bin/env python3
"""The whole life of messages of 600 bytes by the Python client that people take for an engine: durably published and
confirmed, fetched, done.

    python3 -m venv clients && clients/bin/pip install aio-pika redis nats-py 'psycopg[binary,pool]'
    WORKWIRE_BENCH_PYTHON=clients/bin/python cargo bench -p workwire-broker --all-features --bench redis

The benches start it against their own server: clients.py ENGINE ADDRESS IN_FLIGHT MESSAGES. It prints lives per second.
Each client is used as its documentation does, by one process with one event loop: that is all that asyncio has.
"""

import asyncio
import sys
import time
import uuid

BODY = b"x" * 600
HANDS = 10  # each consumer has so many in its hands
QUEUE = "python"


class Shared:
    """A client of which every worker uses the same."""

    async def worker(self):
        return None


class Redis(Shared):
    """redis-py: a stream and a group; what is done is deleted."""

    async def open(self, address):
        import redis.asyncio as redis
        pool = redis.BlockingConnectionPool.from_url(address, max_connections=50, timeout=None)
        self.redis = redis.Redis(connection_pool=pool)
        await self.redis.delete(QUEUE)
        await self.redis.xgroup_create(QUEUE, "workers", "0", mkstream=True)

    async def publish(self):
        await self.redis.xadd(QUEUE, {"message_id": str(uuid.uuid4()), "body": BODY})

    async def work(self, wanted, _):
        reply = await self.redis.xreadgroup("workers", "one", {QUEUE: ">"}, count=wanted)
        ids = [entry[0] for _, entries in reply for entry in entries]
        if ids:
            await self.redis.pipeline().xack(QUEUE, "workers", *ids).xdel(QUEUE, *ids).execute()
        return len(ids)


class Nats:
    """nats-py: a work queue, a pull consumer, acknowledgements that are confirmed."""

    async def open(self, address):
        import nats
        from nats.js.api import RetentionPolicy
        self.connection = await nats.connect(address)
        self.stream = self.connection.jetstream()
        await self.stream.add_stream(name=QUEUE, subjects=[QUEUE], retention=RetentionPolicy.WORK_QUEUE)

    async def worker(self):
        # Each its own: what one waits for is not another's.
        return await self.stream.pull_subscribe(QUEUE, durable="workers")

    async def publish(self):
        await self.stream.publish(QUEUE, BODY, headers={"Nats-Msg-Id": str(uuid.uuid4())})

    async def work(self, wanted, consumer):
        import nats
        try:
            messages = await consumer.fetch(wanted, timeout=1)
        except nats.errors.TimeoutError:
            return 0
        await asyncio.gather(*(message.ack_sync(timeout=30) for message in messages))
        return len(messages)


class RabbitMq(Shared):
    """aio-pika: confirmed and persistent, pushed, acknowledged."""

    async def open(self, address):
        import aio_pika
        self.library = aio_pika
        self.connection = await aio_pika.connect_robust(address)
        self.channel = await self.connection.channel()
        taking = await self.connection.channel()
        await taking.set_qos(prefetch_count=1000)
        self.queue = await taking.declare_queue(QUEUE, durable=True, arguments={"x-max-priority": 5})
        self.came = asyncio.Queue()
        await self.queue.consume(self.came.put)

    async def publish(self):
        message = self.library.Message(BODY, message_id=str(uuid.uuid4()), priority=3,
                                       delivery_mode=self.library.DeliveryMode.PERSISTENT)
        await self.channel.default_exchange.publish(message, routing_key=QUEUE)

    async def work(self, *_):
        message = await self.came.get()
        await message.ack()
        return 1


class Postgres(Shared):
    """psycopg: a table, SKIP LOCKED and a lease, each commit by itself, eight connections."""

    async def open(self, address):
        from psycopg_pool import AsyncConnectionPool
        self.pool = AsyncConnectionPool(address, min_size=8, max_size=8, open=False, timeout=600,
                                        kwargs={"autocommit": True})
        await self.pool.open()
        async with self.pool.connection() as on:
            await on.execute("DROP TABLE IF EXISTS python_job")
            await on.execute("CREATE TABLE python_job (seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
                             " id uuid NOT NULL, until timestamptz, body bytea NOT NULL)")
            await on.execute("CREATE INDEX ON python_job (seq) WHERE until IS NULL")

    async def publish(self):
        async with self.pool.connection() as on:
            await on.execute("INSERT INTO python_job (id, body) VALUES (%s, %s)", (uuid.uuid4(), BODY))

    async def work(self, wanted, _):
        async with self.pool.connection() as on:
            taken = await on.execute(
                "UPDATE python_job SET until = now() + interval '30 s' WHERE seq IN (SELECT seq FROM python_job"
                " WHERE until IS NULL ORDER BY seq LIMIT %s FOR UPDATE SKIP LOCKED) RETURNING seq, id, body", (wanted,))
            seqs = [row[0] for row in await taken.fetchall()]
            if seqs:
                await on.execute("DELETE FROM python_job WHERE seq = ANY(%s)", (seqs,))
        return len(seqs)


async def lives(client, in_flight, count):
    left = {"publish": count, "work": count}

    async def publish():
        while left["publish"] > 0:
            left["publish"] -= 1
            await client.publish()

    async def work():
        worker = await client.worker()
        while left["work"] > 0:
            done = await client.work(HANDS, worker)
            left["work"] -= done
            if not done:
                await asyncio.sleep(0)

    begun = time.perf_counter()
    if in_flight == 1:
        worker = await client.worker()
        for _ in range(count):
            await client.publish()
            while not await client.work(1, worker):
                pass
        return count / (time.perf_counter() - begun)
    publishers = [asyncio.create_task(publish()) for _ in range(in_flight * 9 // 10)]
    workers = [asyncio.create_task(work()) for _ in range(in_flight // 10 // HANDS)]
    await asyncio.gather(*publishers)
    while left["work"] > 0:
        await asyncio.sleep(0.001)
    rate = count / (time.perf_counter() - begun)
    for worker in workers:
        worker.cancel()
    return rate


async def main():
    engine, address, in_flight, count = sys.argv[1:]
    client = {"redis": Redis, "nats": Nats, "rabbitmq": RabbitMq, "postgres": Postgres}[engine]()
    await client.open(address)
    print(f"{await lives(client, int(in_flight), int(count)):.1f}", flush=True)


if __name__ == "__main__":
    asyncio.run(main())
