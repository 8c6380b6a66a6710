#!/usr/bin/env python3
"""A message broker in one SQLite file that speaks the adapter protocol (../../broker/ADAPTER.md).

    python3 broker.py [FILE]            without FILE: a temporary one, gone at the end

It works in rounds: all lines that have come are one transaction, and are answered when it is on the disk. So
an answer is a promise, and many share one wait for the disk. Only who is connected is not in the file.
"""
import base64
import json
import os
import re
import sqlite3
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]
CLAIMS = """core priority fifo lease attempts dead-letter backoff delay ttl dedupe max-length large
    durable restart""".split()
UNSUPPORTED, INVALID, STALE, FULL, _, NOT_FOUND, CONFLICT, NO_METHOD = *range(1, 8), -32601
MAX_BODY, MAX_REASON, MAX_ANSWER = 1_048_576, 4_096, 8 * 1_048_576
STARTED = time.time() - time.monotonic()  # times outlive the process, and do not jump while it runs

# What a member must be: a pattern of its JSON, or the names of its own members. Of those one with ? may be
# left out, and one with ! is for what is not claimed.
NAME, UUID = r'"[A-Za-z0-9][A-Za-z0-9._-]{0,127}"', r'"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"'
TEXT, COUNT, SOME = r'(?s)".*', r"\d{1,15}", r"[1-9]\d{0,14}"
RULES = {
    "contract": '"1"', "client": NAME, "mode": '"(graceful|abort|kill)"', "verdict": '"(done|retry|dead)"',
    "queue": ["name", "tenant!"], "name": r'"[a-z0-9][a-z0-9._-]{0,99}"',
    "policy": ["max_priority?", "max_attempts?", "lease_ms?", "backoff_ms?", "ttl_ms?", "max_length?",
               "overflow?", "dedupe_ms?"],
    "max_priority": "[1-9]|10", "max_attempts": SOME, "lease_ms": SOME, "ttl_ms": SOME, "max_length": SOME,
    "backoff_ms": rf"\[({COUNT}(, {COUNT})*)?\]", "overflow": '"(reject|drop-oldest)"', "dedupe_ms": COUNT,
    "id": UUID, "body": TEXT, "encoding": '"(utf8|base64)"', "priority": SOME, "delay_ms": COUNT,
    "consumer": TEXT, "max": SOME, "wait_ms": COUNT, "tag": TEXT, "reason": TEXT,
}
METHODS = {
    "initialize": "contract", "open": "client", "close": "client mode", "restart": "mode", "shutdown": "",
    "declare": "client queue policy", "delete": "client queue", "sweep": "client queue",
    "publish": "client queue id body encoding priority? ttl_ms? delay_ms? to!",
    "fetch": "client queue consumer max wait_ms group! recipient! id!",
    "settle": "client queue tag verdict reason? delay_ms?",
    "depth": "client queue group!", "dead_letters": "client queue max group!",
}
DEFAULTS = {"max_priority": 5, "max_attempts": 3, "lease_ms": 30_000, "backoff_ms": [], "ttl_ms": None,
            "max_length": None, "overflow": "reject", "dedupe_ms": 300_000}

# A message with a tag is held, until then; one that has died is a letter.
SCHEMA = """
PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
CREATE TABLE IF NOT EXISTS queue (name PRIMARY KEY, policy, expired DEFAULT 0);
CREATE TABLE IF NOT EXISTS seen (queue, id, until, PRIMARY KEY (queue, id));
CREATE TABLE IF NOT EXISTS message (seq INTEGER PRIMARY KEY, queue, id, priority, due_at, expires_at,
    used DEFAULT 0, reason, tag, client, until, died_at, body);
CREATE INDEX IF NOT EXISTS in_order ON message (queue, priority DESC, seq);
"""
FREE = "queue = :queue AND died_at IS NULL AND tag IS NULL"
READY = FREE + " AND due_at <= :now"


class Refused(Exception):
    """A code of the protocol, and words for a person."""


def read(given: Any, names: list[str], where: str) -> Json:
    """What is named. Other members are ignored, and null is absence."""
    if not isinstance(given, dict):
        raise Refused(INVALID, f"{where}: expected an object")
    found = {}
    for marked in names:
        name, place = marked.rstrip("?!"), f"{where}.{marked.rstrip('?!')}"
        value = given.get(name)
        if value is None and marked == name:
            raise Refused(INVALID, f"{place}: required")
        if value is None:
            continue
        if marked.endswith("!"):
            raise Refused(UNSUPPORTED, f"{place} is not supported")
        rule, text = RULES[name], json.dumps(value, ensure_ascii=False)
        is_object = isinstance(rule, list)
        if not is_object and (not re.fullmatch(rule, text, re.ASCII) or re.search("[\ud800-\udfff]", text)):
            raise Refused(INVALID, f"{place}: expected {rule}, found {text:.80}")
        found[name] = read(value, rule, place) if is_object else value
    return found


def shown(message: sqlite3.Row, **more: Any) -> Json:
    """As base64 always: so nobody has to find out whether the bytes are text."""
    body = base64.b64encode(message["body"]).decode()
    return {"id": message["id"], "body": body, "encoding": "base64", "priority": message["priority"], **more}


def fitting(messages: sqlite3.Cursor) -> Iterator[sqlite3.Row]:
    """As many as fit into a line of 16 MiB: base64 adds a third, JSON has up to six bytes for a character."""
    size = 0
    for message in messages:
        size += len(message["body"]) + 6 * len(message["reason"] or "") + 300
        if size > MAX_ANSWER:
            return
        yield message


class Broker:
    def __init__(self, path: str) -> None:
        """Who held something when the file was last open is lost."""
        self.path, self.clients = path, set[str]()
        self.db = sqlite3.connect(path)
        self.db.row_factory = sqlite3.Row
        self.db.executescript(SCHEMA)
        self.pass_time()
        self.let_go("abort")
        self.db.commit()

    def run(self) -> None:
        rest = b""
        while chunk := sys.stdin.buffer.read1(1 << 20):
            *lines, rest = (rest + chunk).split(b"\n")
            requests = [json.loads(line) for line in lines]
            answers = [json.dumps(self.answer(request)) + "\n" for request in requests]
            self.db.commit()
            print("".join(answers), end="", flush=True)
            if any(request["method"] == "shutdown" for request in requests):
                return
        self.call("shutdown", {})
        self.db.commit()

    def answer(self, request: Json) -> Json:
        answer = {"jsonrpc": "2.0", "id": request["id"]}
        try:
            return answer | {"result": self.call(request["method"], request.get("params") or {}) or {}}
        except Refused as refused:
            return answer | {"error": dict(zip(("code", "message"), refused.args))}

    def call(self, method: str, params: Any) -> Json | None:
        if method not in METHODS:
            raise Refused(NO_METHOD, f"there is no method {method:.80}")
        asked = read(params, METHODS[method].split(), "params")
        self.pass_time()
        if "client" in asked and method != "open" and asked["client"] not in self.clients:
            raise Refused(NOT_FOUND, f"client {asked['client']} is not open")
        if "queue" in asked:
            asked["queue"] = asked["queue"]["name"]
            asked["policy"] = asked["policy"] if method == "declare" else self.policy(asked["queue"])
        return getattr(self, method)(asked)

    def sql(self, sql: str, **values: Any) -> sqlite3.Cursor:
        return self.db.execute(sql, {"now": self.now, **values})

    def policy(self, queue: str) -> Json:
        for row in self.sql("SELECT policy FROM queue WHERE name = :queue", queue=queue):
            return json.loads(row["policy"])
        raise Refused(NOT_FOUND, f"queue {queue} is not declared")

    def pass_time(self) -> None:
        self.now = (STARTED + time.monotonic()) * 1000
        for message in self.sql("SELECT * FROM message WHERE until <= :now ORDER BY until").fetchall():
            self.fail(message, message["until"], "the lease of the last delivery expired")
        expired = "DELETE FROM message WHERE expires_at <= :now AND tag IS NULL AND died_at IS NULL"
        for message in self.sql(expired + " RETURNING queue").fetchall():
            self.sql("UPDATE queue SET expired = expired + 1 WHERE name = :queue", queue=message["queue"])
        self.sql("DELETE FROM seen WHERE until <= :now")

    def end(self, message: sqlite3.Row, used: int, reason: str | None, due_at: float, died_at: Any = None):
        """A delivery ends: the message is back at its old place, or dead."""
        self.sql("""UPDATE message SET tag = NULL, client = NULL, until = NULL, used = :used,
            reason = :reason, due_at = :due_at, died_at = :died_at WHERE seq = :seq""",
                 seq=message["seq"], used=used, reason=reason, due_at=due_at, died_at=died_at)

    def fail(self, message: sqlite3.Row, at: float, why: str, reason: str | None = None, rest: int = 0):
        used, reason = message["used"] + 1, message["reason"] if reason is None else reason
        if used < self.policy(message["queue"])["max_attempts"]:
            self.end(message, used, reason, at + rest)
        else:
            self.end(message, used, f"attempts used up: {why}" if reason is None else reason, at, died_at=at)

    def let_go(self, mode: str, client: str | None = None) -> None:
        """Who says goodbye gives back; who is lost has used up an attempt."""
        held = "SELECT * FROM message WHERE tag IS NOT NULL AND client = ifnull(:client, client)"
        for message in self.sql(held, client=client).fetchall():
            if mode == "graceful":
                self.end(message, message["used"], message["reason"], self.now)
            else:
                self.fail(message, self.now, "the connection was lost during the last delivery")

    # The methods, by the names of the protocol.

    def initialize(self, asked: Json) -> Json:
        return {"contract": "1", "name": "python-sqlite", "version": "1", "language": "Python",
                "capabilities": CLAIMS, "limits": {"max_priority": 10, "max_message_bytes": MAX_BODY}}

    def open(self, asked: Json) -> None:
        if asked["client"] in self.clients:
            raise Refused(CONFLICT, f"client {asked['client']} is open already")
        self.clients.add(asked["client"])

    def close(self, asked: Json) -> None:
        self.clients.remove(asked["client"])
        self.let_go(asked["mode"], asked["client"])

    def restart(self, asked: Json) -> None:
        """Killed, it gives nothing back: it finds what was held when it opens the file again."""
        if asked["mode"] == "graceful":
            self.let_go("graceful")
        self.db.commit()
        self.db.close()
        self.__init__(self.path)  # nothing is kept but the file

    def shutdown(self, asked: Json) -> None:
        self.let_go("graceful")

    def declare(self, asked: Json) -> None:
        queue, policy = asked["queue"], DEFAULTS | asked["policy"]
        self.sql("INSERT OR IGNORE INTO queue (name, policy) VALUES (:queue, :policy)",
                 queue=queue, policy=json.dumps(policy))
        if self.policy(queue) != policy:
            raise Refused(CONFLICT, f"queue {queue} is declared with another policy")

    def publish(self, asked: Json) -> Json:
        queue, policy, text = asked["queue"], asked["policy"], asked["body"]
        priority = asked.get("priority", (policy["max_priority"] + 1) // 2)
        if priority > policy["max_priority"]:
            raise Refused(INVALID, f"priority: expected at most {policy['max_priority']}, found {priority}")
        try:
            body = text.encode() if asked["encoding"] == "utf8" else base64.b64decode(text, validate=True)
        except ValueError as error:
            raise Refused(INVALID, f"body: {error}") from None
        if len(body) > MAX_BODY:
            raise Refused(INVALID, f"body: expected at most {MAX_BODY} bytes, found {len(body)}")
        known = {"queue": queue, "id": asked["id"].lower(), "until": self.now + policy["dedupe_ms"]}
        if self.sql("SELECT 1 FROM seen WHERE queue = :queue AND id = :id", **known).fetchone():
            return {"outcome": "duplicate"}
        alive, most = "FROM message WHERE queue = :queue AND died_at IS NULL", policy["max_length"]
        if most and self.sql(f"SELECT count(*) {alive}", **known).fetchone()[0] >= most:
            oldest = f"DELETE FROM message WHERE seq = (SELECT min(seq) {alive} AND tag IS NULL)"
            if policy["overflow"] == "reject" or not self.sql(oldest, **known).rowcount:
                raise Refused(FULL, f"the queue holds {most} messages, as many as it may")
        self.sql("INSERT INTO seen VALUES (:queue, :id, :until)", **known)
        ttl = min((ttl for ttl in (asked.get("ttl_ms"), policy["ttl_ms"]) if ttl), default=None)
        self.sql("""INSERT INTO message (queue, id, priority, due_at, expires_at, body)
            VALUES (:queue, :id, :priority, :now + :delay, :now + :ttl, :body)""",
                 **known, priority=priority, delay=asked.get("delay_ms", 0), ttl=ttl, body=body)
        return {"outcome": "stored"}

    def fetch(self, asked: Json) -> Json:
        ready = f"SELECT * FROM message WHERE {READY} ORDER BY priority DESC, seq LIMIT :max"
        until, deliveries = self.now + asked["policy"]["lease_ms"], []
        for message in list(fitting(self.sql(ready, **asked))):
            tag = str(uuid.uuid4())
            self.sql("UPDATE message SET tag = :tag, client = :client, until = :until WHERE seq = :seq",
                     seq=message["seq"], tag=tag, client=asked["client"], until=until)
            deliveries.append(shown(message, tag=tag, attempt=message["used"] + 1))
        return {"deliveries": deliveries}

    def settle(self, asked: Json) -> None:
        held = "SELECT * FROM message WHERE queue = :queue AND tag = :tag AND client = :client"
        message = self.sql(held, **asked).fetchone()
        if not message:
            raise Refused(STALE, "the tag names no delivery that this client holds")
        reason = asked["reason"][:MAX_REASON] if "reason" in asked else message["reason"]
        if asked["verdict"] == "done":
            self.sql("DELETE FROM message WHERE tag = :tag", **asked)
        elif asked["verdict"] == "dead":
            why = "given up, and nobody said why" if reason is None else reason
            self.end(message, message["used"] + 1, why, self.now, died_at=self.now)
        else:
            rests = asked["policy"]["backoff_ms"] or [0]
            rest = asked.get("delay_ms", rests[min(message["used"], len(rests) - 1)])
            self.fail(message, self.now, "the last delivery ended in retry", reason, rest)

    def depth(self, asked: Json) -> Json:
        return dict(self.sql(f"""SELECT count(*) FILTER (WHERE {READY}) AS ready, count(tag) AS leased,
            count(*) FILTER (WHERE {FREE} AND due_at > :now) AS delayed, count(died_at) AS dead
            FROM message WHERE queue = :queue""", **asked).fetchone())

    def dead_letters(self, asked: Json) -> Json:
        dead = """SELECT *, strftime('%Y-%m-%dT%H:%M:%fZ', died_at / 1000, 'unixepoch') AS moment FROM message
            WHERE queue = :queue AND died_at IS NOT NULL ORDER BY died_at, seq LIMIT :max"""
        return {"letters": [shown(row, reason=row["reason"], attempts=row["used"], died_at=row["moment"])
                            for row in fitting(self.sql(dead, **asked))]}

    def sweep(self, asked: Json) -> Json:
        """Time has done the work already: this says how much it was."""
        expired = self.sql("SELECT expired FROM queue WHERE name = :queue", **asked).fetchone()
        self.sql("UPDATE queue SET expired = 0 WHERE name = :queue", **asked)
        return dict(expired)

    def delete(self, asked: Json) -> None:
        for table, column in (("message", "queue"), ("seen", "queue"), ("queue", "name")):
            self.sql(f"DELETE FROM {table} WHERE {column} = :queue", **asked)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        Broker(sys.argv[1] if len(sys.argv) > 1 else os.path.join(folder, "broker.db")).run()
