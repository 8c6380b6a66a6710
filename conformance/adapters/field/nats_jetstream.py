#!/usr/bin/env python3
"""NATS JetStream by nats-py, as a work queue (https://docs.nats.io/nats-concepts/jetstream/streams, retention policies).

    NATS=nats://127.0.0.1:4222 python3 nats_jetstream.py

A work queue stream and one durable pull consumer for each queue: Nats-Msg-Id for the id, ack_wait for the lease,
max_deliver for the attempts; ack_sync, nak with a delay, term and in_progress for what is delivered.
"""
import asyncio
import os
from importlib.metadata import version

import nats
from frame import NOT_FOUND, STALE, Adapter, Delivery, Refused
from nats.errors import MsgAlreadyAckdError, TimeoutError
from nats.js.api import ConsumerConfig, RetentionPolicy, StreamConfig
from nats.js.errors import NotFoundError

LOOP = asyncio.new_event_loop()


def wait(it):
    try:
        return LOOP.run_until_complete(it)
    except (NotFoundError, nats.js.errors.NoStreamResponseError) as error:
        raise Refused(NOT_FOUND, f"no stream: {error}") from None


class JetStream(Adapter):
    name, version = "nats-py on JetStream", version("nats-py")
    # Not `dead-letter`: at max_deliver the server tells of it, and keeps the message where nobody is given it.
    claims, choices = "core fifo lease attempts dedupe", {}

    def connect(self):
        connection = wait(nats.connect(os.environ["NATS"], allow_reconnect=False))
        return connection, connection.jetstream(timeout=5), {}

    def leave(self, connection, graceful, held):
        for _, message in held.values() if graceful else []:
            wait(message.nak())
        wait(connection[0].close())

    def names(self, queue):
        stream = queue.replace(".", "+")  # a stream's name has no dots
        return stream, f"work.{stream}"

    def create(self, connection, queue, policy):
        stream, subject = self.names(queue)
        config = StreamConfig(name=stream, subjects=[subject], retention=RetentionPolicy.WORK_QUEUE,
                              duplicate_window=max(policy["dedupe_ms"], 100) / 1000)
        wait(connection[1].add_stream(config))
        consumer = ConsumerConfig(durable_name="workers", ack_wait=policy["lease_ms"] / 1000,
                                  max_deliver=policy["max_attempts"], max_ack_pending=-1)
        wait(connection[1].add_consumer(stream, consumer))

    def put(self, connection, queue, message):
        headers = {"Nats-Msg-Id": message.id}
        ack = wait(connection[1].publish(self.names(queue)[1], message.body, headers=headers))
        return "duplicate" if ack.duplicate else "stored"

    def take(self, connection, queue):
        stream, subject = self.names(queue)
        if queue not in connection[2]:
            wait(connection[1].consumer_info(stream, "workers"))
            connection[2][queue] = wait(connection[1].pull_subscribe_bind("workers", stream))
        try:
            [message] = wait(connection[2][queue].fetch(1, timeout=0.05))
        except TimeoutError:
            return None
        return Delivery(message, message.headers["Nats-Msg-Id"], message.data, attempt=message.metadata.num_delivered)

    def end(self, connection, queue, handle, verdict, reason, delay_ms):
        try:
            wait({"done": handle.ack_sync, "retry": handle.nak, "dead": handle.term}[verdict]())
        except MsgAlreadyAckdError as error:
            raise Refused(STALE, str(error)) from None

    def count(self, connection, queue):
        info = wait(connection[1].consumer_info(self.names(queue)[0], "workers"))
        # What waits to be delivered again is counted with what is held, so neither is told apart.
        return {"ready": info.num_pending}

    def remove(self, connection, queue):
        wait(connection[1].delete_stream(self.names(queue)[0]))


if __name__ == "__main__":
    asyncio.set_event_loop(LOOP)
    JetStream().run()
