"""What stands on the lines of the adapter protocol: what a request may say, and how messages are written."""
import base64
import functools
import inspect
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timezone
from typing import Any

Json = dict[str, Any]
UNSUPPORTED, INVALID, STALE, FULL, UNAVAILABLE, NOT_FOUND, CONFLICT = range(1, 8)
NOT_JSON, NO_REQUEST, NO_METHOD = -32700, -32600, -32601
MAX_BODY, MAX_REASON = 1_048_576, 4_096
MAX_ANSWER = 8 * 1_048_576  # of messages in one answer, as JSON: half a line

# What each member must be: text like this, an integer of this range, a list of such, or of this type.
NAME, COUNT, SOME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}", range(2**53), range(1, 2**53)
MOMENT = r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,9}))?(Z|[+-][0-9]{2}:[0-5][0-9])?"
UUID = r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
RULES: Json = {
    "name": r"[a-z0-9][a-z0-9._-]{0,99}", "tenant": r"[a-z0-9][a-z0-9-]{0,63}", "contract": "1", "client": NAME,
    "group": NAME, "recipient": NAME, "to": NAME, "id": UUID, "after": UUID, "max": SOME, "wait_ms": COUNT,
    "ttl_ms": SOME, "delay_ms": COUNT, "lease_ms": SOME, "priority": SOME, "max_priority": range(1, 11),
    "max_attempts": SOME, "backoff_ms": [COUNT], "max_length": SOME, "overflow": "reject|drop-oldest",
    "dedupe_ms": COUNT, "encoding": "utf8|base64", "verdict": "done|retry|dead", "mode": "graceful|abort|kill",
    "queue": dict, "policy": dict, "items": list, "update": dict, "runner": dict, "dead": bool, "body": str, "tag": str,
    "consumer": str, "reason": str, "offline_after_ms": SOME,
}
POLICY = {"max_priority": 5, "max_attempts": 3, "lease_ms": 30_000, "backoff_ms": [], "ttl_ms": None,
          "max_length": None, "overflow": "reject", "dedupe_ms": 300_000}
AGENT: Json = {
    "agent_id": UUID, "agent_type": "orchestrator|infra|desktop|code|research", "status": "online|offline|busy",
    "timestamp": MOMENT, "current_task_id": UUID, "resources": dict,
}
HEALTH: Json = {
    "agent": NAME, "status": "active|idle|degraded|failed", "timestamp": MOMENT, "current_task": str,
    "messages_pending": COUNT, "messages_processed": COUNT, "error_count": COUNT,
}


class Refused(Exception):
    """Why something is refused: a code of the protocol, and words for a person."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.error = {"code": code, "message": message}


def fits(value: Any, rule: Any) -> bool:
    if isinstance(rule, str):
        return isinstance(value, str) and bool(re.fullmatch(rule, value))
    if isinstance(rule, range):
        return isinstance(value, int) and not isinstance(value, bool) and value in rule
    if isinstance(rule, list):
        return isinstance(value, list) and all(fits(item, rule[0]) for item in value)
    return isinstance(value, rule) and (rule is not str or not re.search("[\ud800-\udfff]", value))


def checked(members: Any, rules: Json, required: Iterable[str] = ()) -> Json:
    """The members that have a rule and are there. The others are ignored, and null is absence."""
    if not isinstance(members, dict):
        raise Refused(INVALID, f"expected an object, found {members!r:.80}")
    there = {name: members[name] for name in rules if members.get(name) is not None}
    for name in required:
        if name not in there:
            raise Refused(INVALID, f"{name}: required")
    for name, value in there.items():
        if not fits(value, rules[name]):
            raise Refused(INVALID, f"{name}: expected {rules[name]}, found {value!r:.80}")
    return {name: value.lower() if rules[name] is UUID else value for name, value in there.items()}


def arguments(work: Callable[..., Any], members: Any, **bound: Any) -> Json:
    """What a function takes may be given, and what has no default must be; what is bound is given already."""
    rules, required = taken_by(getattr(work, "__func__", work), *bound)
    return checked(members, rules, required) | bound


@functools.cache
def taken_by(work: Callable[..., Any], *but: str) -> tuple[Json, list[str]]:
    takes = {name: taken for name, taken in inspect.signature(work).parameters.items() if name not in ("self", *but)}
    required = [name for name, taken in takes.items() if taken.default is taken.empty]
    return {name: RULES[name] for name in takes}, required


def bytes_of(body: str, encoding: str) -> bytes:
    try:
        data = body.encode() if encoding == "utf8" else base64.b64decode(body, validate=True)
    except ValueError as error:
        raise Refused(INVALID, f"body: {error}") from None
    if len(data) > MAX_BODY:
        raise Refused(INVALID, f"body: expected at most {MAX_BODY} bytes, found {len(data)}")
    return data


def shown(row: Any, **more: Any) -> Json:
    try:
        body, encoding = row["body"].decode(), "utf8"
    except UnicodeDecodeError:
        body, encoding = base64.b64encode(row["body"]).decode(), "base64"
    return {"id": row["id"], "body": body, "encoding": encoding, "priority": row["priority"], **more}


def fitting(messages: Iterable[Json]) -> Iterator[Json]:
    """As many as fit into an answer, but always one."""
    size = 0
    for number, message in enumerate(messages):
        size += len(json.dumps(message))
        if number and size > MAX_ANSWER:
            return
        yield message


def finite(number: str) -> float:
    """JSON has no NaN and no infinity, so neither may come in and be written back."""
    if not math.isfinite(float(number)):
        raise ValueError(f"{number:.80} is no number of JSON")
    return float(number)


def request(line: bytes) -> tuple[int | str, str, Any]:
    """The id, the method and the parameters that stand on a line."""
    try:
        asked = json.loads(line.decode(), parse_float=finite, parse_constant=finite)
    except (ValueError, RecursionError) as error:
        raise Refused(NOT_JSON, str(error)) from None
    # `True` is an instance of int too, and no id.
    has_id = isinstance(asked, dict) and type(asked.get("id")) in (int, str)
    if not has_id or not isinstance(asked.get("method"), str):
        raise Refused(NO_REQUEST, "expected an object with an id and a method")
    return asked["id"], asked["method"], asked.get("params") or {}


def moment_of(text: str) -> str:
    """The same moment in UTC with nine digits of fraction: of two such texts the lesser is the earlier."""
    seconds, fraction, zone = re.fullmatch(MOMENT, text).groups()
    try:
        utc = datetime.fromisoformat(seconds + (zone or "Z")).astimezone(timezone.utc)
    except (ValueError, OverflowError) as error:
        raise Refused(INVALID, f"timestamp: {error}") from None
    return f"{utc.isoformat()[:19]}.{fraction or '':0<9}Z"


def utc_text(millis: float) -> str:
    return moment_of(datetime.fromtimestamp(millis / 1000, timezone.utc).isoformat(timespec="microseconds"))


def agent_update(update: Json) -> Json:
    """What an agent says of itself, by the names by which others are told."""
    if "agent_id" in update:
        return {"resources": {}} | checked(update, AGENT, ("agent_id", "agent_type", "status", "timestamp"))
    health = checked(update, HEALTH, ("agent", "status"))
    names = {"agent": "agent_id", "current_task": "current_task_id"}
    return {names.get(name, name): value for name, value in health.items()}
