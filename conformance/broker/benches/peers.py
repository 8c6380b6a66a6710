#!/usr/bin/env python3
"""The whole life of messages of 600 bytes in other SQLite queues: sent, claimed, done.

    python3 -m venv peers && peers/bin/pip install litequeue persist-queue huey honker
    peers/bin/python peers.py [FOLDER]

Each is used as its own documentation does, in batches of 100 where it has batches, at the
durability that it comes with. Prints one line for each: the median of five rounds.
"""

import os
import statistics
import sys
import tempfile
import time

BODY = "x" * 600
ROUNDS = 5


def litequeue(path, count):
    import litequeue

    queue = litequeue.LiteQueue(path)
    start = time.perf_counter()
    for _ in range(count):
        queue.put(BODY)
    for _ in range(count):
        queue.done(queue.pop().message_id)
    return count / (time.perf_counter() - start)


def persist_queue(path, count):
    import persistqueue

    queue = persistqueue.SQLiteAckQueue(path, auto_commit=True)
    start = time.perf_counter()
    for _ in range(count):
        queue.put(BODY)
    for _ in range(count):
        queue.ack(queue.get(block=False))
    return count / (time.perf_counter() - start)


def huey(path, count):
    from huey.storage import SqliteStorage

    storage = SqliteStorage(filename=path)
    body = BODY.encode()
    start = time.perf_counter()
    for _ in range(count):
        storage.enqueue(body)
    for _ in range(count):
        # What is taken is gone: there is no confirmation.
        assert storage.dequeue() is not None
    return count / (time.perf_counter() - start)


def honker(path, count):
    import honker

    database = honker.open(path)
    queue = database.queue("bench")
    start = time.perf_counter()
    for _ in range(count // 100):
        with database.transaction() as transaction:
            for _ in range(100):
                queue.enqueue(BODY, tx=transaction)
    done = 0
    while done < count:
        jobs = queue.claim_batch("worker", 100)
        done += queue.ack_batch([job.id for job in jobs], "worker")
    return count / (time.perf_counter() - start)


PEERS = [
    ("litequeue", litequeue, 5_000, "NORMAL"),
    ("persist-queue", persist_queue, 1_000, "FULL"),
    ("huey", huey, 1_000, "FULL, taken is gone"),
    ("honker, batches of 100", honker, 20_000, "NORMAL"),
]


def main():
    base = sys.argv[1] if len(sys.argv) > 1 else None
    for name, life, count, durability in PEERS:
        rates = []
        for _ in range(ROUNDS):
            with tempfile.TemporaryDirectory(dir=base) as folder:
                rates.append(life(os.path.join(folder, "queue.db"), count))
        rates.sort()
        print(f"{name} ({durability}): {statistics.median(rates):.0f}/s ({rates[0]:.0f}–{rates[-1]:.0f})", flush=True)


if __name__ == "__main__":
    main()
