#!/usr/bin/env python3
"""A message broker in one SQLite file that speaks the adapter protocol (../../broker/ADAPTER.md).

    python3 broker.py [FILE]            without FILE: a temporary one, gone at the end

One thread works in rounds: all lines that have come are worked on in one transaction, and answered when it is on the
disk. So an answer is a promise, and requests that come together share one wait for the disk. A fetch is the only
request that waits, in `waiting`; before each line, those who wait are looked at first.
"""
import json
import os
import select
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from protocol import (CONFLICT, INVALID, MAX_BODY, MAX_REASON, NO_METHOD, NOT_FOUND, POLICY, RULES, UNAVAILABLE, Json,
                      Refused, agent_update, arguments, bytes_of, checked, fitting, moment_of, request, shown, utc_text)
from store import STARTED, Store

CAPABILITIES = """core priority fifo lease extend attempts dead-letter replay backoff ttl delay dedupe groups addressing
    tenancy max-length purge presence durable restart wait large batch browse""".split()


class Waiter(NamedTuple):
    """A fetch that is not answered yet."""

    request: int | str
    client: str
    queue: int
    group: str
    recipient: str | None
    id: str | None
    max: int
    until: float


class Broker:
    """Each `on_` method is one of the protocol: its parameters are checked, its client is open, its queue a number."""

    def __init__(self, path: str) -> None:
        self.path, self.store, self.is_running = path, Store(path), True
        self.clients: set[str] = set()
        self.waiting: list[Waiter] = []
        self.asking: int | str | None = None
        self.answers: list[tuple[int | str | None, str, Json]] = []

    def run(self) -> None:
        rest = b""
        while self.is_running:
            has_input = bool(select.select([0], [], [], self.patience())[0])
            chunk = os.read(0, 1 << 20) if has_input else b""
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                self.serve()
                self.line(line)
            self.serve()
            if has_input and not chunk:
                self.on_shutdown()
            self.commit()

    def commit(self) -> None:
        """Only what is on the disk is answered."""
        self.store.commit()
        for asking, kind, content in self.answers:
            print(json.dumps({"jsonrpc": "2.0", "id": asking, kind: content}))
        sys.stdout.flush()
        self.answers.clear()

    def line(self, line: bytes) -> None:
        self.asking = None
        try:
            self.asking, method, params = request(line)
            result = self.call(f"on_{method}", params)
            if result is not None:
                self.answers.append((self.asking, "result", result))
        except Refused as refused:
            self.answers.append((self.asking, "error", refused.error))

    def call(self, method: str, params: Any) -> Json | None:
        work = getattr(self, method, None)
        if work is None:
            raise Refused(NO_METHOD, f"there is no method {method[3:]:.80}")
        asked = arguments(work, params)
        key = arguments(self.store.number_of, asked["queue"]) if "queue" in asked else None
        if "client" in asked and method != "on_open" and asked["client"] not in self.clients:
            raise Refused(NOT_FOUND, f"client {asked['client']} is not open")
        if key:
            asked["queue"] = key if method == "on_declare" else self.store.number_of(**key)
        return work(**asked)

    # Those who wait.

    def serve(self) -> None:
        self.store.pass_time()
        for waiter in list(self.waiting):
            deliveries = self.store.take(*waiter[1:-1])
            if deliveries or self.store.now >= waiter.until:
                self.waiting.remove(waiter)
                self.answers.append((waiter.request, "result", {"deliveries": deliveries}))

    def patience(self) -> float | None:
        """The seconds until time has something for those who wait."""
        if not self.waiting:
            return None
        moments = [waiter.until for waiter in self.waiting]
        change = self.store.next_moment()
        first = min(moments if change is None else [*moments, change])
        return min(max(first / 1000 - STARTED - time.monotonic(), 0), 3600)

    def dismiss(self, code: int, why: str, is_meant: Callable[[Waiter], bool] = lambda waiter: True) -> None:
        for waiter in filter(is_meant, list(self.waiting)):
            self.waiting.remove(waiter)
            self.answers.append((waiter.request, "error", {"code": code, "message": why}))

    # The methods.

    def on_initialize(self, contract: str) -> Json:
        return {"contract": contract, "name": "python-sqlite", "version": "1", "language": "Python",
                "capabilities": CAPABILITIES, "limits": {"max_priority": 10, "max_message_bytes": MAX_BODY}}

    def on_open(self, client: str) -> Json:
        if client in self.clients:
            raise Refused(CONFLICT, f"client {client} is open already")
        self.clients.add(client)
        return {}

    def on_close(self, client: str, mode: str) -> Json:
        if mode not in ("graceful", "abort"):
            raise Refused(INVALID, f"mode: expected graceful or abort, found {mode}")
        self.clients.remove(client)
        self.store.let_go(mode, client)
        self.dismiss(UNAVAILABLE, "the client was closed", lambda waiter: waiter.client == client)
        return {}

    def on_restart(self, mode: str) -> Json:
        """Killed, it gives nothing back: the store finds what was held when it opens the file again."""
        if mode not in ("graceful", "kill"):
            raise Refused(INVALID, f"mode: expected graceful or kill, found {mode}")
        if mode == "graceful":
            self.store.let_go(mode)
        self.dismiss(UNAVAILABLE, "the broker was restarted")
        self.clients.clear()
        self.commit()
        self.store.db.close()
        self.store = Store(self.path)
        return {}

    def on_shutdown(self) -> Json:
        self.store.let_go("graceful")
        self.dismiss(UNAVAILABLE, "the broker was shut down")
        self.is_running = False
        return {}

    def on_declare(self, client: str, queue: Json, policy: Json) -> Json:
        new = POLICY | checked(policy, {name: RULES[name] for name in POLICY})
        self.store.db.execute("INSERT OR IGNORE INTO queue (tenant, name, policy) VALUES (?, ?, ?)",
                              (queue.get("tenant", ""), queue["name"], json.dumps(new)))
        number = self.store.number_of(**queue)
        if self.store.policy(number) != new:
            raise Refused(CONFLICT, f"queue {queue['name']} is declared with another policy")
        self.store.join(number, "")
        return {}

    def on_publish(self, client: str, queue: int, id: str, body: str, encoding: str, priority: int | None = None,
                   ttl_ms: int | None = None, delay_ms: int = 0, to: str | None = None) -> Json:
        policy, data = self.store.policy(queue), bytes_of(body, encoding)
        priority = (policy["max_priority"] + 1) // 2 if priority is None else priority
        if priority > policy["max_priority"]:
            raise Refused(INVALID, f"priority: expected at most {policy['max_priority']}, found {priority}")
        if self.store.rows("SELECT 1 FROM seen WHERE queue = ? AND id = ? AND until > ?", queue, id, self.store.now):
            return {"outcome": "duplicate"}
        self.store.make_room(queue, policy["overflow"] == "drop-oldest")
        until = self.store.now + policy["dedupe_ms"]
        self.store.db.execute("INSERT OR REPLACE INTO seen VALUES (?, ?, ?)", (queue, id, until))
        ttl = min((ttl for ttl in (ttl_ms, policy["ttl_ms"]) if ttl), default=None)
        self.store.enter(queue, None, (id, data, priority, to, ttl), delay_ms)
        return {"outcome": "stored"}

    def on_publish_batch(self, client: str, queue: int, items: list[Any]) -> Json:
        return {"outcomes": [self.outcome(client, queue, item) for item in items]}

    def outcome(self, client: str, queue: int, item: Any) -> str | Json:
        try:
            return self.on_publish(**arguments(self.on_publish, item, client=client, queue=queue))["outcome"]
        except Refused as refused:
            return refused.error

    def on_fetch(self, client: str, queue: int, consumer: str, max: int, wait_ms: int, group: str = "",
                 recipient: str | None = None, id: str | None = None) -> None:
        """Waits behind those who came before, be it for no time at all."""
        self.store.join(queue, group)
        self.waiting.append(Waiter(self.asking, client, queue, group, recipient, id, max, self.store.now + wait_ms))

    def on_peek(self, client: str, queue: int, max: int, group: str = "", recipient: str | None = None,
                after: str | None = None) -> Json:
        with self.store.as_if_joined(queue, group):
            ready = self.store.ready(queue, group, recipient)
            if after:
                places = [place for place, row in enumerate(ready) if row["id"] == after]
                ready = ready[places[-1] + 1:] if places else []
            return {"messages": self.store.looked_at(ready[:max])}

    def on_depth(self, client: str, queue: int, group: str = "") -> Json:
        with self.store.as_if_joined(queue, group):
            [row] = self.store.rows("""SELECT count(*) FILTER (WHERE tag IS NULL AND due_at <= ?1) AS ready,
                count(tag) AS leased, count(*) FILTER (WHERE tag IS NULL AND due_at > ?1) AS delayed,
                (SELECT count(*) FROM letter WHERE queue = ?2 AND grp = ?3) AS dead
                FROM copy WHERE queue = ?2 AND grp = ?3""", self.store.now, queue, group)
        return dict(row)

    def on_settle(self, client: str, queue: int, tag: str, verdict: str, reason: str | None = None,
                  delay_ms: int | None = None) -> Json:
        copy, reason = self.store.held(client, queue, tag), reason and reason[:MAX_REASON]
        if verdict == "done":
            self.store.drop(copy)
        elif verdict == "retry":
            rests = self.store.policy(queue)["backoff_ms"] or [0]
            rest = rests[min(copy["used"], len(rests) - 1)] if delay_ms is None else delay_ms
            self.store.failed(copy, self.store.now, self.store.now + rest, "the last delivery ended in retry", reason)
        else:
            reasons = (reason, copy["reason"], "given up, and nobody said why")
            self.store.bury(copy, self.store.now, next(reason for reason in reasons if reason is not None))
        return {}

    def on_extend(self, client: str, queue: int, tag: str, lease_ms: int) -> Json:
        self.store.held(client, queue, tag)
        self.store.db.execute("UPDATE copy SET until = ? WHERE tag = ?", (self.store.now + lease_ms, tag))
        return {}

    def on_dead_letters(self, client: str, queue: int, max: int, group: str | None = None) -> Json:
        oldest = "SELECT * FROM letter WHERE queue = ? AND grp = ifnull(?, grp) ORDER BY number LIMIT ?"
        rows = self.store.db.execute(oldest, (queue, group, max))
        letters = (shown(row, reason=row["reason"], attempts=row["attempts"], died_at=utc_text(row["died_at"]),
                         group=row["grp"] or None) for row in rows)
        return {"letters": list(fitting(letters))}

    def on_replay(self, client: str, queue: int, id: str, group: str | None = None) -> Json:
        oldest = "SELECT * FROM letter WHERE queue = ? AND id = ? AND grp = ifnull(?, grp) ORDER BY number LIMIT 1"
        for row in self.store.rows(oldest, queue, id, group):
            self.store.make_room(queue, may_drop=False)
            self.store.db.execute("DELETE FROM letter WHERE number = ?", (row["number"],))
            self.store.enter(queue, row["grp"], (id, row["body"], row["priority"], row["recipient"], row["ttl_ms"]))
            return {}
        raise Refused(NOT_FOUND, f"there is no dead letter {id}")

    def on_purge(self, client: str, queue: int, group: str | None = None, dead: bool = False) -> Json:
        what = "letter WHERE" if dead else "copy WHERE tag IS NULL AND due_at <= :now AND"
        removed = self.store.db.execute(f"DELETE FROM {what} queue = :queue AND grp = ifnull(:group, grp)",
                                  {"now": self.store.now, "queue": queue, "group": group})
        return {"removed": removed.rowcount}

    def on_delete(self, client: str, queue: int) -> Json:
        for table in ("copy", "letter", "seen", "grp", "queue"):
            self.store.db.execute(f"DELETE FROM {table} WHERE queue = ?", (queue,))
        self.dismiss(NOT_FOUND, "the queue was deleted", lambda waiter: waiter.queue == queue)
        return {}

    def on_sweep(self, client: str, queue: int) -> Json:
        """Time has done the work already: this says how much it was."""
        [row] = self.store.rows("SELECT expired FROM queue WHERE queue = ?", queue)
        self.store.db.execute("UPDATE queue SET expired = 0 WHERE queue = ?", (queue,))
        return dict(row)

    def on_heartbeat(self, client: str, update: Json, tenant: str = "") -> Json:
        state = agent_update(update)
        moment = moment_of(state.pop("timestamp")) if "timestamp" in state else utc_text(self.store.now)
        self.store.db.execute("""INSERT INTO agent VALUES (?, ?, ?, ?, ?) ON CONFLICT (tenant, agent) DO UPDATE
            SET moment = excluded.moment, arrived = excluded.arrived, state = excluded.state
            WHERE excluded.moment >= moment""", (tenant, state["agent_id"], moment, self.store.now, json.dumps(state)))
        return {}

    def on_agents(self, client: str, offline_after_ms: int = 180_000, tenant: str = "") -> Json:
        agents = []
        for row in self.store.rows("SELECT * FROM agent WHERE tenant = ? ORDER BY agent", tenant):
            is_silent = self.store.now - row["arrived"] >= offline_after_ms
            agents.append(json.loads(row["state"]) | {"last_heartbeat": row["moment"]})
            agents[-1] |= {"status": "offline"} if is_silent else {}
        return {"agents": agents}


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        Broker(sys.argv[1] if len(sys.argv) > 1 else os.path.join(folder, "broker.db")).run()
