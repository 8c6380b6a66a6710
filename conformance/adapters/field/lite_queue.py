#!/usr/bin/env python3
"""litequeue, as its README has it (https://github.com/litements/litequeue): put, pop, done, retry, mark_failed.

    python3 lite_queue.py

One file for each queue, as recommended there, in a temporary folder. A client is an object of its own on it. What names
a delivery there is the id of its message, so that is the tag, and the library is given whatever tag comes.
"""
import base64
import json
import pathlib
import tempfile
from importlib.metadata import version

from frame import Adapter, Delivery
from litequeue import LiteQueue


class Lite(Adapter):
    name, version = "litequeue", version("litequeue")
    claims = "core fifo large"
    tags_are_the_librarys = True

    def __init__(self, folder: str) -> None:
        super().__init__()
        self.folder = pathlib.Path(folder)

    def connect(self):
        return {}

    def leave(self, connection, graceful, held):
        """Who leaves gives back. Who vanishes does not, and nobody else does it for him."""
        for queue, message in held.values() if graceful else []:
            self.of(connection, queue).retry(message)
        for queue in connection.values():
            queue.close()

    def of(self, connection, queue):
        self.declared(queue)
        if queue not in connection:
            connection[queue] = LiteQueue(self.folder / queue)
        return connection[queue]

    def create(self, connection, queue, policy):
        connection[queue] = connection.get(queue) or LiteQueue(self.folder / queue)

    def put(self, connection, queue, message):
        # Messages are text there, and their ids the library's own.
        body = base64.b64encode(message.body).decode()
        self.of(connection, queue).put(json.dumps({"id": message.id, "body": body}))

    def read(self, message):
        data = json.loads(message.data)
        return data["id"], base64.b64decode(data["body"])

    def take(self, connection, queue):
        message = self.of(connection, queue).pop()
        return message and Delivery(message.message_id, *self.read(message))

    def end(self, connection, queue, handle, verdict, reason, delay_ms):
        lite = self.of(connection, queue)
        {"done": lite.done, "retry": lite.retry, "dead": lite.mark_failed}[verdict](handle)

    def count(self, connection, queue):
        lite = self.of(connection, queue)
        leased = len(list(lite.list_locked(threshold_seconds=0)))
        # Its `qsize` counts what is locked, too.
        return {"ready": lite.qsize() - leased, "leased": leased}

    def remove(self, connection, queue):
        """It has no call for that: the file is deleted."""
        self.of(connection, queue)
        for client in self.clients.values():
            if queue in client.connection:
                client.connection.pop(queue).close()
        for file in self.folder.glob(queue + "*"):
            if file.name.removeprefix(queue) in ("", "-wal", "-shm"):
                file.unlink()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        Lite(folder).run()
