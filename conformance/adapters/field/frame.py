"""What the adapters in Python of this folder share: the frame of the adapter protocol (../../broker/ADAPTER.md).

It knows requests and says nothing about messages. It refuses what is no request of the protocol (names, ranges,
clients that are not open), remembers which policy a queue was declared with, since no library here has policies,
and hands everything else to the library. What the library answers is answered.
"""
import base64
import json
import re
import sys
import traceback
import uuid
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
UNSUPPORTED, INVALID, STALE, FULL, UNAVAILABLE, NOT_FOUND, CONFLICT, NO_METHOD = 1, 2, 3, 4, 5, 6, 7, -32601
MAX_BODY, MAX_ANSWER = 1_048_576, 8 * 1_048_576
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}", re.ASCII)
DEFAULTS = {"max_priority": 5, "max_attempts": 3, "lease_ms": 30_000, "backoff_ms": [], "ttl_ms": None,
            "max_length": None, "overflow": "reject", "dedupe_ms": 300_000}
# A member, the least that it may be, and the capability without which it is refused.
NUMBERS = {"max": (1, None), "ttl_ms": (1, "ttl"), "delay_ms": (0, "delay")}
CLAIMED = {"to": "addressing", "recipient": "addressing", "group": "groups", "id": "browse"}


class Refused(Exception):
    """It did not happen, and the protocol has a code for the reason."""


@dataclass
class Message:
    """What is published."""
    id: str
    body: bytes
    priority: int
    ttl_ms: int | None = None
    delay_ms: int | None = None


@dataclass
class Delivery:
    """What is delivered. The handle is what the library wants to be given when it is settled."""
    handle: Any
    id: str
    body: bytes
    priority: int = 3
    attempt: int = 1


@dataclass
class Client:
    """The connection is the library's, and it holds what was delivered under tags."""
    connection: Any
    held: dict[str, tuple[str, Any]] = field(default_factory=dict)


def shown(body: bytes) -> Json:
    return {"body": base64.b64encode(body).decode(), "encoding": "base64"}


class Adapter:
    """An adapter is a subclass: it names what is claimed, and gives `connect`, `leave`, `create`, `put`, `take`, `end`
    and `count`; `letters` where dead letters are claimed, `remove` where a queue can be removed."""
    name, version, claims, choices = "", "", "core", {}
    tags_are_the_librarys = False  # then whatever tag comes is handed to the library, by whomever

    def __init__(self) -> None:
        self.clients: dict[str, Client] = {}
        self.policies: dict[str, Json] = {}

    def run(self) -> None:
        for line in sys.stdin.buffer:
            request = json.loads(line)
            answer = {"jsonrpc": "2.0", "id": request["id"]}
            try:
                answer["result"] = self.call(request["method"], request.get("params") or {}) or {}
            except Refused as refused:
                answer["error"] = dict(zip(("code", "message"), refused.args))
            except Exception as error:  # whatever a library throws: nobody knows what happened
                traceback.print_exc()
                answer["error"] = {"code": UNAVAILABLE, "message": f"{type(error).__name__}: {error}"}
            print(json.dumps(answer), flush=True)
            if request["method"] == "shutdown":
                break

    def call(self, method: str, asked: Json) -> Json | None:
        handler = getattr(self, "on_" + method, None)
        if handler is None:
            raise Refused(NO_METHOD, f"there is no method {method:.80}")
        # A delay of nothing is none.
        asked = {key: value for key, value in asked.items() if value is not None and (key, value) != ("delay_ms", 0)}
        if "client" in asked and method != "open" and asked["client"] not in self.clients:
            raise Refused(NOT_FOUND, f"client {asked['client']} is not open")
        if "queue" in asked:
            if "tenant" in asked["queue"]:
                raise Refused(UNSUPPORTED, "tenants are not claimed")
            asked["queue"] = asked["queue"]["name"]
            if not NAME.fullmatch(asked["queue"]):
                raise Refused(INVALID, f"queue: {asked['queue']!a:.120} is no name")
        for member, (least, capability) in NUMBERS.items():
            if member in asked and capability and capability not in self.claims.split():
                raise Refused(UNSUPPORTED, f"{capability} is not claimed")
            if member in asked and not asked[member] >= least:
                raise Refused(INVALID, f"{member}: expected at least {least}, found {asked[member]}")
        for member, capability in CLAIMED.items():
            its_own = method in ("publish", "replay") and member == "id"
            if member in asked and not its_own and capability not in self.claims.split():
                raise Refused(UNSUPPORTED, f"{capability} is not claimed")
        return handler(asked)

    def declared(self, queue: str) -> None:
        """Called by adapters whose library is an object that has to be made before it is used."""
        if queue not in self.policies:
            raise Refused(NOT_FOUND, f"queue {queue} is not declared")

    # The methods, by the names of the protocol.

    def on_initialize(self, asked: Json) -> Json:
        return {"contract": "1", "name": self.name, "version": self.version, "language": "Python",
                "capabilities": self.claims.split(), "choices": self.choices,
                "limits": {"max_priority": 10, "max_message_bytes": MAX_BODY}}

    def on_open(self, asked: Json) -> None:
        if asked["client"] in self.clients:
            raise Refused(CONFLICT, f"client {asked['client']} is open already")
        self.clients[asked["client"]] = Client(self.connect())

    def on_close(self, asked: Json) -> None:
        client = self.clients.pop(asked["client"])
        self.leave(client.connection, asked["mode"] == "graceful", client.held)

    def on_shutdown(self, asked: Json) -> None:
        for name in list(self.clients):
            self.on_close({"client": name, "mode": "graceful"})

    def on_declare(self, asked: Json) -> None:
        policy = DEFAULTS | {key: value for key, value in asked["policy"].items() if value is not None}
        least = {"max_attempts": 1, "lease_ms": 1, "dedupe_ms": 0, "max_priority": 1, "ttl_ms": 1, "max_length": 1}
        for member, number in least.items():
            if policy[member] is not None and not policy[member] >= number:
                raise Refused(INVALID, f"{member}: expected at least {number}, found {policy[member]}")
        if policy["max_priority"] > 10 or any(rest < 0 for rest in policy["backoff_ms"]):
            raise Refused(INVALID, "max_priority is at most 10, backoff_ms at least 0")
        if self.policies.get(asked["queue"], policy) != policy:
            raise Refused(CONFLICT, f"queue {asked['queue']} is declared with another policy")
        self.create(self.clients[asked["client"]].connection, asked["queue"], policy)
        self.policies[asked["queue"]] = policy

    def on_publish(self, asked: Json) -> Json:
        raw = asked["body"].encode() if asked["encoding"] == "utf8" else base64.b64decode(asked["body"])
        if len(raw) > MAX_BODY:
            raise Refused(INVALID, f"body: expected at most {MAX_BODY} bytes, found {len(raw)}")
        middle = (self.policies.get(asked["queue"], DEFAULTS)["max_priority"] + 1) // 2
        message = Message(str(uuid.UUID(asked["id"])), raw, asked.get("priority", middle), asked.get("ttl_ms"),
                          asked.get("delay_ms"))
        return {"outcome": self.put(self.clients[asked["client"]].connection, asked["queue"], message) or "stored"}

    def on_fetch(self, asked: Json) -> Json:
        client, taken, size = self.clients[asked["client"]], [], 0
        while len(taken) < asked["max"] and size < MAX_ANSWER:
            delivery = self.take(client.connection, asked["queue"])
            if delivery is None:
                break
            tag = str(delivery.handle if self.tags_are_the_librarys else uuid.uuid4())
            client.held[tag] = (asked["queue"], delivery.handle)
            taken.append({"tag": tag, "id": delivery.id, "priority": delivery.priority,
                          "attempt": delivery.attempt, **shown(delivery.body)})
            size += len(delivery.body)
        return {"deliveries": taken}

    def on_settle(self, asked: Json) -> None:
        client = self.clients[asked["client"]]
        queue, handle = client.held.get(asked["tag"], (asked["queue"], asked["tag"]))
        if not self.tags_are_the_librarys and (asked["tag"] not in client.held or queue != asked["queue"]):
            if asked["queue"] not in self.policies:
                raise Refused(NOT_FOUND, f"queue {asked['queue']} is not declared")
            raise Refused(STALE, "the tag names no delivery that this client holds")
        verdict, reason = asked["verdict"], asked.get("reason")
        self.end(client.connection, asked["queue"], handle, verdict, reason, asked.get("delay_ms"))
        client.held.pop(asked["tag"], None)

    def on_depth(self, asked: Json) -> Json:
        return self.count(self.clients[asked["client"]].connection, asked["queue"])

    def on_dead_letters(self, asked: Json) -> Json:
        if "dead-letter" not in self.claims.split():
            raise Refused(UNSUPPORTED, "dead letters are not claimed")
        return {"letters": self.letters(self.clients[asked["client"]].connection, asked["queue"], asked["max"])}

    def on_delete(self, asked: Json) -> None:
        self.remove(self.clients[asked["client"]].connection, asked["queue"])
        self.policies.pop(asked["queue"], None)
