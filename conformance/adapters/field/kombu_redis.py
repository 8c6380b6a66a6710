#!/usr/bin/env python3
"""Kombu on Redis: what Celery's messages travel over, with its visibility timeout.

    REDIS=redis://127.0.0.1:6379/0 python3 kombu_redis.py

SimpleQueue (https://docs.celeryq.dev/projects/kombu/en/stable/userguide/simple.html), put and get_nowait; ack, requeue
and reject of a message. The visibility timeout is the lease, as
https://docs.celeryq.dev/en/stable/getting-started/backends-and-brokers/redis.html explains it.
"""
import os

import kombu
from frame import STALE, Adapter, Delivery, Refused
from kombu.exceptions import ChannelError, MessageStateError
from kombu.simple import SimpleQueue


class Kombu(Adapter):
    name, version = "kombu on Redis", kombu.__version__
    claims, choices = "core fifo priority lease large", {"retry_place": "back"}

    def connect(self):
        return {}

    def leave(self, connection, graceful, held):
        """Asked to close, it gives back. Who vanishes has no time for it."""
        for queue in connection.values() if graceful else []:
            queue.channel.connection.client.close()
        if not graceful:
            self.vanished = [*getattr(self, "vanished", []), connection]

    def of(self, connection, queue, policy=None):
        if policy is None:
            self.declared(queue)
        if queue not in connection:
            lease = (policy or self.policies[queue])["lease_ms"] / 1000
            # A visibility timeout counts for all that share these keys: so each queue has its own.
            keys = {key + "_key": f"{key}:{queue}" for key in ("unacked", "unacked_index", "unacked_mutex")}
            options = {"visibility_timeout": lease, "priority_steps": list(range(10)), **keys}
            at = kombu.Connection(os.environ["REDIS"], transport_options=options)
            connection[queue] = SimpleQueue(at, queue, serializer="raw")
        return connection[queue]

    def create(self, connection, queue, policy):
        self.of(connection, queue, policy)

    def put(self, connection, queue, message):
        it = self.of(connection, queue)
        # 0 is the most urgent there.
        it.put(message.body, message_id=message.id, priority=10 - message.priority, headers={"p": message.priority},
               serializer=None, content_type="application/octet-stream", content_encoding="binary")

    def on_fetch(self, asked):
        """First what a worker's timer does: give back what is longer under way than the timeout."""
        channel = self.of(self.clients[asked["client"]].connection, asked["queue"]).channel
        channel.qos.restore_visible(num=channel.unacked_restore_limit, interval=1)
        return super().on_fetch(asked)

    def take(self, connection, queue):
        it = self.of(connection, queue)
        try:
            message = it.get_nowait()
        except it.Empty:
            return None
        body = message.body.encode() if isinstance(message.body, str) else bytes(message.body)
        attempt = 2 if message.delivery_info.get("redelivered") else 1
        return Delivery(message, message.properties["message_id"], body, message.headers["p"], attempt)

    def end(self, connection, queue, handle, verdict, reason, delay_ms):
        try:
            {"done": handle.ack, "retry": handle.requeue, "dead": handle.reject}[verdict]()
        except MessageStateError as error:
            raise Refused(STALE, str(error)) from None

    def count(self, connection, queue):
        try:
            return {"ready": self.of(connection, queue).qsize()}
        except ChannelError:  # 404: in Redis a list without entries is not there
            return {"ready": 0}

    def remove(self, connection, queue):
        self.of(connection, queue).queue.delete()


if __name__ == "__main__":
    Kombu().run()
