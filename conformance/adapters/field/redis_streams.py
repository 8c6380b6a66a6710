#!/usr/bin/env python3
"""Redis Streams by redis-py, as an event bus is often written: acknowledged before the work, trimmed as it grows.

    REDIS=redis://127.0.0.1:6379/0 python3 redis_streams.py

XADD with MAXLEN ~, XREADGROUP of what is new, XACK as soon as it is read. Each is
as https://redis.io/docs/latest/develop/data-types/streams/ has it, but for the place of XACK, which is the field's.
"""
import os

import redis
from frame import NOT_FOUND, Adapter, Delivery, Refused

GROUP, LENGTH = "workers", 1_000


class RedisStreams(Adapter):
    name, version = "redis-py, streams acknowledged before the work", redis.__version__
    # Not `max-length`: MAXLEN bounds what is kept and refuses nothing. Not `dead-letter`: there are none.
    claims, choices = "core fifo large", {"retry_place": "back"}

    def connect(self):
        return redis.Redis.from_url(os.environ["REDIS"], single_connection_client=True)

    def leave(self, connection, graceful, held):
        connection.close()

    def create(self, connection, queue, policy):
        try:
            connection.xgroup_create(queue, GROUP, id="0", mkstream=True)
        except redis.ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise

    def add(self, connection, queue, id, body):
        connection.xadd(queue, {"id": id, "body": body}, maxlen=LENGTH, approximate=True)

    def put(self, connection, queue, message):
        self.add(connection, queue, message.id, message.body)

    def take(self, connection, queue):
        try:
            read = connection.xreadgroup(GROUP, "worker", {queue: ">"}, count=1)
        except redis.ResponseError as error:
            raise Refused(NOT_FOUND, str(error)) from None
        for _, entries in read.items() if isinstance(read, dict) else read:
            entries = entries[0] if isinstance(read, dict) else entries
            for entry, fields in entries:
                connection.xack(queue, GROUP, entry)
                id, body = fields[b"id"].decode(), fields[b"body"]
                return Delivery((id, body), id, body)
        return None

    def end(self, connection, queue, handle, verdict, reason, delay_ms):
        # Redis has forgotten that somebody has it: all that is left is to add it again.
        if verdict == "retry":
            self.add(connection, queue, *handle)

    def count(self, connection, queue):
        """What the group has not read yet. Nobody knows what is worked on."""
        try:
            [group] = connection.xinfo_groups(queue)
        except redis.ResponseError as error:
            raise Refused(NOT_FOUND, str(error)) from None
        return {"ready": group["lag"]}

    def remove(self, connection, queue):
        connection.delete(queue)


if __name__ == "__main__":
    RedisStreams().run()
