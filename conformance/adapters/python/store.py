"""What the file holds, and what time does to it."""
import json
import sqlite3
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from sqlite3 import Row
from typing import Any

from protocol import FULL, NOT_FOUND, STALE, Json, Refused, fitting, shown

STARTED = time.time() - time.monotonic()  # times outlive the process, and do not jump while it runs

# Nobody's tenant and the unnamed group are '', which is no name. A message stands there once, with a copy for each
# group, and goes with its last copy. A copy with a tag is held. AUTOINCREMENT: no number comes twice, so order is age.
SCHEMA = """
PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
CREATE TABLE IF NOT EXISTS queue (queue INTEGER PRIMARY KEY AUTOINCREMENT, tenant, name, policy, expired DEFAULT 0,
    UNIQUE (tenant, name));
CREATE TABLE IF NOT EXISTS grp (queue, grp, PRIMARY KEY (queue, grp));
CREATE TABLE IF NOT EXISTS message (seq INTEGER PRIMARY KEY AUTOINCREMENT, queue, id, body, priority, recipient,
    ttl_ms, due_at, expires_at);
CREATE TABLE IF NOT EXISTS copy (seq INTEGER, grp, queue, priority, due_at, used DEFAULT 0, reason, tag, client, until,
    PRIMARY KEY (seq, grp));
CREATE TABLE IF NOT EXISTS letter (number INTEGER PRIMARY KEY AUTOINCREMENT, queue, grp, id, body, priority, recipient,
    ttl_ms, reason, attempts, died_at);
CREATE TABLE IF NOT EXISTS seen (queue, id, until, PRIMARY KEY (queue, id));
CREATE TABLE IF NOT EXISTS agent (tenant, agent, moment, arrived, state, PRIMARY KEY (tenant, agent));
CREATE INDEX IF NOT EXISTS in_order ON copy (queue, grp, priority DESC, seq);
CREATE INDEX IF NOT EXISTS resting ON copy (due_at) WHERE tag IS NULL;
CREATE INDEX IF NOT EXISTS held ON copy (until) WHERE tag IS NOT NULL;
CREATE UNIQUE INDEX IF NOT EXISTS tags ON copy (tag) WHERE tag IS NOT NULL;
CREATE INDEX IF NOT EXISTS of_queue ON message (queue);
CREATE INDEX IF NOT EXISTS mortal ON message (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS letters ON letter (queue, number);
CREATE INDEX IF NOT EXISTS remembered ON seen (until);
CREATE TRIGGER IF NOT EXISTS last_copy AFTER DELETE ON copy WHEN NOT EXISTS (SELECT 1 FROM copy WHERE seq = old.seq)
    BEGIN DELETE FROM message WHERE seq = old.seq; END;
"""


class Store:
    def __init__(self, path: str) -> None:
        """Who held something when the file was last open is lost. From here on a transaction is always open."""
        self.db = sqlite3.connect(path, isolation_level=None)
        self.db.row_factory = Row
        self.db.executescript(SCHEMA + "BEGIN;")
        self.pass_time()
        self.let_go("kill")

    def commit(self) -> None:
        self.db.execute("COMMIT")
        self.db.execute("BEGIN")

    def rows(self, sql: str, *values: Any) -> list[Row]:
        return self.db.execute(sql, values).fetchall()

    def number_of(self, name: str, tenant: str = "") -> int:
        for row in self.rows("SELECT queue FROM queue WHERE tenant = ? AND name = ?", tenant, name):
            return row["queue"]
        raise Refused(NOT_FOUND, f"queue {name} of {tenant or 'no tenant'} is not declared")

    def policy(self, queue: int) -> Json:
        return json.loads(self.rows("SELECT policy FROM queue WHERE queue = ?", queue)[0]["policy"])

    def pass_time(self) -> None:
        self.now = (STARTED + time.monotonic()) * 1000
        for copy in self.rows("SELECT * FROM copy WHERE tag IS NOT NULL AND until <= ? ORDER BY until", self.now):
            self.failed(copy, copy["until"], copy["until"], "the lease of the last delivery expired")
        expired = "DELETE FROM copy WHERE tag IS NULL AND seq IN (SELECT seq FROM message WHERE expires_at <= ?)"
        for copy in self.rows(expired + " RETURNING queue", self.now):
            self.db.execute("UPDATE queue SET expired = expired + 1 WHERE queue = ?", (copy["queue"],))
        self.db.execute("DELETE FROM seen WHERE until <= ?", (self.now,))

    def next_moment(self) -> float | None:
        """When time has something to do next that somebody may wait for."""
        moments = self.rows("""SELECT min(until) FROM copy WHERE tag IS NOT NULL
            UNION ALL SELECT min(due_at) FROM copy WHERE tag IS NULL AND due_at > ?""", self.now)
        return min((row[0] for row in moments if row[0] is not None), default=None)

    # How messages come in.

    def make_room(self, queue: int, may_drop: bool) -> None:
        most = self.policy(queue)["max_length"]
        if most is None or self.rows("SELECT count(*) FROM message WHERE queue = ?", queue)[0][0] < most:
            return
        oldest = """SELECT min(seq) FROM message
            WHERE queue = ? AND NOT EXISTS (SELECT 1 FROM copy WHERE copy.seq = message.seq AND tag IS NOT NULL)"""
        seq = self.rows(oldest, queue)[0][0] if may_drop else None
        if seq is None:
            raise Refused(FULL, f"the queue holds {most} messages, as many as it may")
        self.db.execute("DELETE FROM copy WHERE seq = ?", (seq,))

    def enter(self, queue: int, group: str | None, message: tuple[Any, ...], delay_ms: int = 0) -> None:
        """A new message at the end of its priority, in one group or in all."""
        *_, priority, _, ttl = message
        due_at, expires_at = self.now + delay_ms, self.now + ttl if ttl else None
        seq = self.db.execute("""INSERT INTO message (queue, id, body, priority, recipient, ttl_ms, due_at, expires_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)""", (queue, *message, due_at, expires_at)).lastrowid
        self.db.execute("""INSERT INTO copy (seq, grp, queue, priority, due_at) SELECT ?, grp, queue, ?, ? FROM grp
            WHERE queue = ? AND grp = ifnull(?, grp)""", (seq, priority, due_at, queue, group))

    def join(self, queue: int, group: str) -> None:
        """A new group sees all that is still there."""
        if self.db.execute("INSERT OR IGNORE INTO grp VALUES (?, ?)", (queue, group)).rowcount:
            self.db.execute("""INSERT INTO copy (seq, grp, queue, priority, due_at)
                SELECT seq, ?, queue, priority, due_at
                FROM message WHERE queue = ? AND ifnull(expires_at > ?, 1)""",
                (group, queue, self.now))

    @contextmanager
    def as_if_joined(self, queue: int, group: str) -> Iterator[None]:
        """Who only looks makes no group, but sees what it would see."""
        self.db.execute("SAVEPOINT look")
        self.join(queue, group)
        yield
        self.db.execute("ROLLBACK TO look")

    # How deliveries begin and end.

    def ready(self, queue: int, group: str, recipient: str | None, limit: int = -1) -> list[Row]:
        return self.rows("""SELECT seq, id, used FROM copy CROSS JOIN message USING (seq)
            WHERE copy.queue = ? AND grp = ? AND tag IS NULL AND copy.due_at <= ? AND ifnull(expires_at > ?, 1)
            AND (recipient IS NULL OR recipient = ?) ORDER BY copy.priority DESC, seq LIMIT ?""",
            queue, group, self.now, self.now, recipient, limit)

    def looked_at(self, ready: list[Row]) -> list[Json]:
        found = (self.rows("SELECT * FROM message WHERE seq = ?", row["seq"])[0] for row in ready)
        return list(fitting(shown(message, attempt=row["used"] + 1) for message, row in zip(found, ready)))

    def take(self, client: str, queue: int, group: str, recipient: str | None, id: str | None, most: int) -> list[Json]:
        """Up to so many of what is ready; of those with an id, the oldest."""
        ready = self.ready(queue, group, recipient, -1 if id else most)
        if id:
            ready = sorted((row for row in ready if row["id"] == id), key=lambda row: row["seq"])[:1]
        deliveries, until = self.looked_at(ready), self.now + self.policy(queue)["lease_ms"]
        for row, delivery in zip(ready, deliveries):
            delivery["tag"] = uuid.uuid4().hex
            self.db.execute("UPDATE copy SET tag = ?, client = ?, until = ? WHERE seq = ? AND grp = ?",
                            (delivery["tag"], client, until, row["seq"], group))
        return deliveries

    def held(self, client: str, queue: int, tag: str) -> Row:
        for copy in self.rows("SELECT * FROM copy WHERE tag = ? AND client = ? AND queue = ?", tag, client, queue):
            return copy
        raise Refused(STALE, "the tag names no delivery that this client holds")

    def drop(self, copy: Row) -> None:
        self.db.execute("DELETE FROM copy WHERE seq = ? AND grp = ?", (copy["seq"], copy["grp"]))

    def free(self, copy: Row, due_at: float, used: int, reason: str | None) -> None:
        """Back at its old place. What has expired meanwhile goes when time passes next."""
        self.db.execute("""UPDATE copy SET tag = NULL, client = NULL, until = NULL, due_at = ?, used = ?, reason = ?
            WHERE seq = ? AND grp = ?""", (due_at, used, reason, copy["seq"], copy["grp"]))

    def failed(self, copy: Row, at: float, due_at: float, why: str, reason: str | None = None) -> None:
        used, reason = copy["used"] + 1, copy["reason"] if reason is None else reason
        if used >= self.policy(copy["queue"])["max_attempts"]:
            self.bury(copy, at, f"attempts used up: {why}" if reason is None else reason)
        else:
            self.free(copy, due_at, used, reason)

    def bury(self, copy: Row, at: float, reason: str) -> None:
        self.db.execute("""INSERT INTO letter
            (queue, grp, id, body, priority, recipient, ttl_ms, reason, attempts, died_at)
            SELECT queue, ?, id, body, priority, recipient, ttl_ms, ?, ?, ? FROM message WHERE seq = ?""",
            (copy["grp"], reason, copy["used"] + 1, at, copy["seq"]))
        self.drop(copy)

    def let_go(self, mode: str, client: str | None = None) -> None:
        """Who says goodbye gives back; who is lost has used up an attempt."""
        for copy in self.rows("SELECT * FROM copy WHERE tag IS NOT NULL AND client = ifnull(?, client)", client):
            if mode == "graceful":
                self.free(copy, self.now, copy["used"], copy["reason"])
            else:
                self.failed(copy, self.now, self.now, "the connection was lost during the last delivery")
