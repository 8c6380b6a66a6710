#!/usr/bin/env python3
"""Dramatiq's Redis broker, driven as its worker drives it (https://dramatiq.io/reference.html#brokers).

    REDIS=redis://127.0.0.1:6379/0 python3 dramatiq_redis.py

declare_queue, enqueue, consume, ack, nack. A retry is what its Retries middleware does: the message is enqueued
again, then acknowledged; when a worker stops, it requeues what it holds. A client is a broker of its own, as a
worker's process is. Everything is as it comes: a worker that says nothing for 60 s is dead, and one command in a
thousand looks for such.
"""
import base64
import os

import dramatiq
from dramatiq.brokers.redis import RedisBroker
from frame import Adapter, Delivery


class Dramatiq(Adapter):
    name, version = "dramatiq on Redis", dramatiq.__version__
    claims, choices = "core fifo large", {"retry_place": "back"}

    def connect(self):
        return RedisBroker(url=os.environ["REDIS"], middleware=[])

    def leave(self, connection, graceful, held):
        for consumer, proxy in [handle for _, handle in held.values()] if graceful else []:
            consumer.requeue([proxy])
        connection.close()

    def create(self, connection, queue, policy):
        connection.declare_queue(queue)

    def put(self, connection, queue, message):
        self.declared(queue)
        body = base64.b64encode(message.body).decode()  # arguments are JSON there
        connection.enqueue(dramatiq.Message(queue_name=queue, actor_name="work", args=(body,), kwargs={}, options={},
                                            message_id=message.id))

    def take(self, connection, queue):
        self.declared(queue)
        consumer = connection.consume(queue, prefetch=1, timeout=1)
        proxy = next(consumer)
        if proxy is None:
            return None
        attempt = proxy.options.get("retries", 0) + 1
        return Delivery((consumer, proxy), proxy.message_id, base64.b64decode(proxy.args[0]), attempt=attempt)

    def end(self, connection, queue, handle, verdict, reason, delay_ms):
        consumer, proxy = handle
        if verdict == "retry":
            retries = proxy.options.get("retries", 0) + 1
            connection.enqueue(proxy._message.copy(options={"retries": retries}))
        if verdict == "dead":
            consumer.nack(proxy)
        else:
            consumer.ack(proxy)

    def count(self, connection, queue):
        self.declared(queue)
        return {"ready": connection.client.llen(f"{connection.namespace}:{queue}")}  # it has no call for that

    def remove(self, connection, queue):
        connection.flush(queue)


if __name__ == "__main__":
    Dramatiq().run()
