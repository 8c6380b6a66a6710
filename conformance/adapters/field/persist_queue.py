#!/usr/bin/env python3
"""persist-queue's SQLiteAckQueue, as its README has it (https://github.com/peter-wangxu/persist-queue).

    python3 persist_queue.py

put, get, ack, nack, ack_failed. One folder and one object for each queue, shared by all clients as by threads, which is
what it is for. `restart` forgets the objects and makes them anew, which gives back what was not acknowledged.
"""
import pathlib
import shutil
import tempfile
from importlib.metadata import version

from frame import Adapter, Delivery, Refused, STALE
from persistqueue import Empty, SQLiteAckQueue


class Persist(Adapter):
    name, version = "persist-queue, SQLiteAckQueue", version("persist-queue")
    claims = "core fifo large durable restart"
    tags_are_the_librarys = True

    def __init__(self, folder: str) -> None:
        super().__init__()
        self.folder = pathlib.Path(folder)
        self.queues: dict[str, SQLiteAckQueue] = {}

    def connect(self):
        return None

    def leave(self, connection, graceful, held):
        """A thread that leaves gives back. One that dies does not, and nobody else does it for it."""
        for queue, item in held.values() if graceful else []:
            self.of(queue).nack(id=item)

    def of(self, queue):
        self.declared(queue)
        return self.queues[queue]

    def create(self, connection, queue, policy):
        if queue not in self.queues:
            self.queues[queue] = SQLiteAckQueue(str(self.folder / queue), auto_commit=True, multithreading=True)

    def put(self, connection, queue, message):
        self.of(queue).put({"id": message.id, "body": message.body})

    def take(self, connection, queue):
        try:
            item = self.of(queue).get(block=False, raw=True)
        except Empty:
            return None
        return Delivery(item["pqid"], item["data"]["id"], item["data"]["body"])

    def end(self, connection, queue, handle, verdict, reason, delay_ms):
        it = self.of(queue)
        settle = {"done": it.ack, "retry": it.nack, "dead": it.ack_failed}[verdict]
        if settle(id=handle) is None:
            raise Refused(STALE, "the library knows no such item")

    def count(self, connection, queue):
        it = self.of(queue)
        return {"ready": it.qsize(), "leased": it.unack_count()}

    def remove(self, connection, queue):
        """It has no call for that: the folder is deleted."""
        self.of(queue).close()
        del self.queues[queue]
        shutil.rmtree(self.folder / queue)

    def on_restart(self, asked):
        self.clients.clear()
        names = list(self.queues)
        if asked["mode"] == "graceful":
            for it in self.queues.values():
                it.close()
        self.queues.clear()
        for name in names:
            self.create(None, name, self.policies[name])


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        Persist(folder).run()
