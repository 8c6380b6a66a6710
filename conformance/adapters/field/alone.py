#!/usr/bin/env python3
"""The same findings by the libraries alone, without an adapter and without the suite. `findings --alone` runs this."""
import asyncio
import os
import tempfile
import time

import dramatiq
import kombu
import nats
import pika
import redis
from dramatiq.brokers.redis import RedisBroker
from kombu.exceptions import ChannelError
from litequeue import LiteQueue
from nats.js.api import ConsumerConfig
from persistqueue import SQLiteAckQueue


def tell(subject: str, what: str, seen: object) -> None:
    print(f"{subject}: {what}: {seen}", flush=True)


def arrived(channel: pika.channel.Channel, queue: str) -> bytes | None:
    """What comes within two seconds: a publish without confirmation takes its time."""
    deadline = time.monotonic() + 2
    while time.monotonic() < deadline:
        _, _, body = channel.basic_get(queue, auto_ack=True)
        if body is not None:
            return body
        time.sleep(0.02)
    return None


def rabbitmq() -> None:
    parameters = pika.URLParameters(os.environ["AMQP"])
    connection = pika.BlockingConnection(parameters)
    channel = connection.channel()
    channel.exchange_declare("graveyard", "direct", durable=True)
    channel.queue_declare("graveyard", durable=True)
    channel.queue_bind("graveyard", "graveyard", routing_key="")
    channel.queue_declare("work", durable=True,
                          arguments={"x-dead-letter-exchange": "graveyard", "x-max-priority": 5})
    channel.confirm_delivery()  # so that nothing here is still on its way
    channel.basic_publish("", "work", b"hopeless")
    method, _, _ = channel.basic_get("work")
    channel.basic_nack(method.delivery_tag, requeue=False)
    tell("rabbitmq-work", "nacked, the dead letters then", arrived(channel, "graveyard"))
    for body, priority in ((b"5 of 5", 5), (b"9 of 5", 9)):
        channel.basic_publish("", "work", body, pika.BasicProperties(priority=priority))
    tell("rabbitmq-work", "5 of 5 before 9 of 5, first comes", arrived(channel, "work"))
    arrived(channel, "work")
    channel.basic_publish("", "work", b"again")
    for _ in range(20):
        method, _, _ = channel.basic_get("work")
        channel.basic_nack(method.delivery_tag, requeue=True)
    tell("rabbitmq-work", "nacked with requeue 20 times, then comes", arrived(channel, "work"))
    channel.basic_publish("", "work", b"taken")
    other = pika.BlockingConnection(parameters)
    other.channel().basic_get("work", auto_ack=True)
    other.close()
    tell("rabbitmq-receipt", "taken by one who is gone, the next gets", arrived(channel, "work"))
    tell("rabbitmq-receipt", "published without confirmation to no queue",
         connection.channel().basic_publish("", "nowhere", b"lost"))
    connection.close()


def streams() -> None:
    client = redis.Redis.from_url(os.environ["REDIS"])
    client.xgroup_create("stream", "group", "0", mkstream=True)
    for number in range(1_500):
        client.xadd("stream", {"number": number}, maxlen=1_000, approximate=True)
    first = client.xrange("stream", count=1)[0][1][b"number"].decode()
    tell("redis-streams", "1500 added before anybody reads, of them there are", client.xlen("stream"))
    tell("redis-streams", "the first one that is still there is number", first)


def visibility() -> None:
    keys = {"unacked_key": "a", "unacked_index_key": "b", "unacked_mutex_key": "c", "visibility_timeout": 0.5}
    late, now, heir = (kombu.Connection(os.environ["REDIS"], transport_options=keys).SimpleQueue("jobs")
                       for _ in range(3))
    late.put("job")
    first = late.get_nowait()
    time.sleep(0.6)
    now.channel.qos.restore_visible(interval=1)
    second = now.get_nowait()
    tell("kombu", "the tags of both deliveries are one", first.delivery_tag == second.delivery_tag)
    first.ack()
    time.sleep(0.6)  # the second one's time is over, and it never acknowledged
    heir.channel.qos.restore_visible(interval=1)
    try:
        tell("kombu", "acknowledged late by the first, never by the second, then comes", heir.get_nowait().payload)
    except heir.Empty:
        tell("kombu", "acknowledged late by the first, never by the second, then comes", None)
    prefixed = kombu.Connection(os.environ["REDIS"], transport_options={"global_keyprefix": "p:"}).SimpleQueue("one")
    prefixed.put("there")
    try:
        tell("kombu", "with global_keyprefix, the size of a queue of one", prefixed.qsize())
    except ChannelError as error:
        tell("kombu", "with global_keyprefix, the size of a queue of one", error)


def workers() -> None:
    def worker(**settings) -> RedisBroker:
        broker = RedisBroker(url=os.environ["REDIS"], middleware=[], **settings)
        broker.declare_queue("work")
        return broker

    message = dramatiq.Message(queue_name="work", actor_name="work", args=(), kwargs={}, options={})
    worker().enqueue(message)
    next(worker().consume("work", prefetch=1, timeout=1))  # and is gone
    heir = worker().consume("work", prefetch=1, timeout=1)
    taken = [next(heir) for _ in range(200)]
    tell("dramatiq", "a worker is gone, the next asks 200 times and gets", next(filter(None, taken), None))
    time.sleep(0.2)
    eager = worker(heartbeat_timeout=100, maintenance_chance=1_000_000).consume("work", prefetch=1, timeout=1)
    found = [next(eager) for _ in range(5)]
    tell("dramatiq", "one with a timeout of 0.1 s, who always looks, gets it", any(found))


def files(folder: str) -> None:
    lite = LiteQueue(f"{folder}/lite")
    lite.put("job")
    message = lite.pop()
    tell("litequeue", "another process, while the first is gone with it, pops", LiteQueue(f"{folder}/lite").pop())
    lite.done(message.message_id)
    lite.retry(message.message_id)
    tell("litequeue", "done, then retry by one who is late, then comes", lite.pop().data)
    persist = SQLiteAckQueue(f"{folder}/persist", multithreading=True)
    persist.put("job")
    item = persist.get(block=False, raw=True)
    persist.ack(id=item["pqid"])
    persist.nack(id=item["pqid"])
    tell("persist-queue", "ack, then nack by one who is late, then comes", persist.get(block=False))
    tell("persist-queue", "ack of an item that never was", persist.ack(id=777))
    persist.nack(id=777)
    tell("persist-queue", "nothing is ready, and one that never was is nacked: the size", persist.qsize())


async def jetstream() -> None:
    connection = await nats.connect(os.environ["NATS"])
    js = connection.jetstream()

    async def comes(queue):
        try:
            return (await queue.fetch(1, timeout=0.5))[0]
        except nats.errors.TimeoutError:
            return None

    await js.add_stream(name="work", subjects=["work"], retention="workqueue")
    queue = await js.pull_subscribe("work", "workers", config=ConsumerConfig(ack_wait=0.5, max_deliver=3))
    await js.publish("work", b"job")
    first = await comes(queue)
    await asyncio.sleep(0.6)
    second = await comes(queue)
    await first.ack_sync()
    held = (await js.stream_info("work")).state.messages
    tell("nats", f"acknowledged late by the first, attempt {second.metadata.num_delivered} under way, left of it", held)
    await js.publish("work", b"hopeless")
    for _ in range(3):
        await (await comes(queue)).nak()
    tell("nats", "given back three times of three, then comes", await comes(queue))
    held, info = (await js.stream_info("work")).state.messages, await js.consumer_info("work", "workers")
    tell("nats", "and is kept, while the consumer says that so many wait", f"{held} kept, {info.num_pending} waiting")
    await connection.close()


if __name__ == "__main__":
    rabbitmq()
    asyncio.run(jetstream())
    streams()
    visibility()
    workers()
    with tempfile.TemporaryDirectory() as folder:
        files(folder)
