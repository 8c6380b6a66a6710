#!/usr/bin/env python3
"""How the crate compares with what Python programs use, in one run.

    python3 benches/peers.py [--venv DIR] [--rounds N] [--here] [MESSAGE ...]

Measures decoding with validation, and encoding, of the messages of `benches/common/messages.rs`, and
prints Markdown tables: nanoseconds, and how many times as long as workwire each one takes. The
libraries are installed with pip into a virtual environment: DIR, or `workwire-peers` in the folder
for temporary files; `--here` takes the interpreter that runs the script as it is.

The Rust side is the bench `ratios`, built and run by cargo, measuring on demand: in each of the
rounds every competitor has one batch of about 0.3 milliseconds, workwire among them, and the ratio
is the median of the rounds' ratios.

Who takes part:

pydantic, two steps   an envelope model whose payload is a dict, then the payload's model by `type`;
                      encoding goes back the same way
pydantic, one pass    a union of envelope models, told apart by `type`
msgspec               the same as a union of structs
orjson + jsonschema   `orjson.loads`, then jsonschema-rs with the crate's schema; `orjson.dumps`

All of them check what such models usually say: types, ids, timestamps, words, ranges. None of them
is told to refuse unknown fields or repeated keys, or to check free content, which workwire does.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import timeit
import venv

PACKAGES = ["pydantic==2.14.3", "msgspec==0.22.0", "orjson==3.13.0", "jsonschema-rs==0.60.3"]
ROOT = pathlib.Path(__file__).resolve().parent.parent
BENCH = ["cargo", "bench", "--quiet", "-p", "workwire", "--bench", "ratios", "--"]
BATCH_SECONDS = 0.0003


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--venv", type=pathlib.Path, metavar="DIR")
    parser.add_argument("--here", action="store_true")
    parser.add_argument("--rounds", type=int, default=400, metavar="N")
    parser.add_argument("message", nargs="*")
    return parser.parse_args()


def enter_venv(folder):
    """Runs this script again, with the libraries at hand."""
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
    subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PACKAGES],
        check=True,
    )
    os.execv(python, [str(python), __file__, "--here", *sys.argv[1:]])


# What takes part. Each has `kinds`, a function of a message's document, type and text that gives
# what decodes it and what encodes it, both without arguments.


def pydantic_models():
    from datetime import datetime
    from typing import Annotated, Any, Literal, Optional, Union
    from uuid import UUID

    from pydantic import BaseModel, Field, TypeAdapter

    Agent = Literal["orchestrator", "infra", "desktop", "code", "research"]
    Name = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    Version = Annotated[str, Field(pattern=r"^1\.\d+$")]

    class WorkRequest(BaseModel):
        task_id: UUID
        work_type: Annotated[str, Field(min_length=1, max_length=128)]
        parameters: dict[str, Any] = {}
        hints: dict[str, Any] = {}

    class WorkResult(BaseModel):
        task_id: UUID
        status: Literal["completed", "failed", "cancelled"]
        exit_code: int
        output: str = ""
        error_message: Optional[str] = None
        duration_ms: Annotated[int, Field(ge=0)]
        agent_id: UUID
        resources_used: dict[str, Any] = {}

    class ErrorMessage(BaseModel):
        error_code: Annotated[int, Field(ge=1000, le=9999)]
        error_message: Annotated[str, Field(min_length=1)]
        context: dict[str, Any] = {}

    class Around(BaseModel):
        protocol_version: Version = "1.0"
        message_id: UUID
        from_agent: Agent
        to_agent: Agent
        timestamp: datetime
        trace_id: UUID
        request_id: UUID
        type: Literal["work_request", "work_status", "work_result", "status_update", "error"]
        priority: Annotated[int, Field(ge=1, le=5)] = 3
        x_custom_fields: dict[str, Any] = {}

    class Envelope(Around):
        payload: dict[str, Any]

    class RequestEnvelope(Around):
        type: Literal["work_request"]
        payload: WorkRequest

    class ResultEnvelope(Around):
        type: Literal["work_result"]
        payload: WorkResult

    class ErrorEnvelope(Around):
        type: Literal["error"]
        payload: ErrorMessage

    class ChannelMessage(BaseModel):
        id: UUID
        type: Annotated[str, Field(max_length=128, pattern=r"^[a-z0-9_]+(\.[a-z0-9_]+)*$")]
        version: Version = "1.0"
        timestamp: datetime
        from_agent: Name
        to_agent: Optional[Name] = None
        channel: Name = "general"
        priority: Annotated[int, Field(ge=1, le=10)] = 5
        payload: dict[str, Any]
        correlation_id: Optional[Annotated[str, Field(min_length=1, max_length=128)]] = None

    class AgentEvent(BaseModel):
        event_id: UUID
        version: Version = "1.0"
        event_type: Literal[
            "task_assigned", "task_completed", "task_failed", "handoff_request", "handoff_validated",
            "handoff_rejected", "context_updated", "agent_registered", "agent_health",
        ]  # fmt: skip
        timestamp: datetime
        tenant_id: Annotated[str, Field(max_length=64, pattern=r"^[a-z0-9][a-z0-9-]*$")]
        priority: Literal["low", "normal", "high", "critical"] = "normal"
        source_agent_id: Name
        call_chain: Annotated[list[Name], Field(min_length=1)]
        data: dict[str, Any] = {}
        context_refs: list[Annotated[str, Field(min_length=1, max_length=256)]] = []
        correlation_id: Optional[Annotated[str, Field(min_length=1, max_length=128)]] = None
        parent_event_id: Optional[UUID] = None

    payloads = {"work_request": WorkRequest, "work_result": WorkResult, "error": ErrorMessage}
    documents = {"channel": ChannelMessage, "event": AgentEvent}
    union = TypeAdapter(
        Annotated[Union[RequestEnvelope, ResultEnvelope, ErrorEnvelope], Field(discriminator="type")]
    )

    def decode_twice(text):
        envelope = Envelope.model_validate_json(text)
        return envelope, payloads[envelope.type].model_validate(envelope.payload)

    def encode_twice(envelope, payload):
        envelope.payload = payload.model_dump(mode="json")
        return envelope.model_dump_json()

    def two_steps(document, text):
        if document != "envelope":
            return one_pass(document, text)
        envelope, payload = decode_twice(text)
        return lambda: decode_twice(text), lambda: encode_twice(envelope, payload)

    def one_pass(document, text):
        if document == "envelope":
            envelope = union.validate_json(text)
            return lambda: union.validate_json(text), lambda: envelope.model_dump_json()
        model = documents[document]
        whole = model.model_validate_json(text)
        return lambda: model.model_validate_json(text), lambda: whole.model_dump_json()

    return two_steps, one_pass


def msgspec_structs():
    from datetime import datetime
    from typing import Annotated, Any, Literal, Optional, Union
    from uuid import UUID

    import msgspec
    from msgspec import Meta, Struct

    Agent = Literal["orchestrator", "infra", "desktop", "code", "research"]
    Name = Annotated[str, Meta(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    Version = Annotated[str, Meta(pattern=r"^1\.\d+$")]

    class WorkRequest(Struct):
        task_id: UUID
        work_type: Annotated[str, Meta(min_length=1, max_length=128)]
        parameters: dict[str, Any] = {}
        hints: dict[str, Any] = {}

    class WorkResult(Struct):
        task_id: UUID
        status: Literal["completed", "failed", "cancelled"]
        exit_code: int
        duration_ms: Annotated[int, Meta(ge=0)]
        agent_id: UUID
        output: str = ""
        error_message: Optional[str] = None
        resources_used: dict[str, Any] = {}

    class ErrorMessage(Struct):
        error_code: Annotated[int, Meta(ge=1000, le=9999)]
        error_message: Annotated[str, Meta(min_length=1)]
        context: dict[str, Any] = {}

    class Around(Struct, kw_only=True):
        protocol_version: Version = "1.0"
        message_id: UUID
        from_agent: Agent
        to_agent: Agent
        timestamp: datetime
        trace_id: UUID
        request_id: UUID
        priority: Annotated[int, Meta(ge=1, le=5)] = 3
        x_custom_fields: dict[str, Any] = {}

    class RequestEnvelope(Around, kw_only=True, tag_field="type", tag="work_request"):
        payload: WorkRequest

    class ResultEnvelope(Around, kw_only=True, tag_field="type", tag="work_result"):
        payload: WorkResult

    class ErrorEnvelope(Around, kw_only=True, tag_field="type", tag="error"):
        payload: ErrorMessage

    class ChannelMessage(Struct, kw_only=True):
        id: UUID
        type: Annotated[str, Meta(max_length=128, pattern=r"^[a-z0-9_]+(\.[a-z0-9_]+)*$")]
        version: Version = "1.0"
        timestamp: datetime
        from_agent: Name
        to_agent: Optional[Name] = None
        channel: Name = "general"
        priority: Annotated[int, Meta(ge=1, le=10)] = 5
        payload: dict[str, Any]
        correlation_id: Optional[Annotated[str, Meta(min_length=1, max_length=128)]] = None

    class AgentEvent(Struct, kw_only=True):
        event_id: UUID
        version: Version = "1.0"
        event_type: Literal[
            "task_assigned", "task_completed", "task_failed", "handoff_request", "handoff_validated",
            "handoff_rejected", "context_updated", "agent_registered", "agent_health",
        ]  # fmt: skip
        timestamp: datetime
        tenant_id: Annotated[str, Meta(max_length=64, pattern=r"^[a-z0-9][a-z0-9-]*$")]
        priority: Literal["low", "normal", "high", "critical"] = "normal"
        source_agent_id: Name
        call_chain: Annotated[list[Name], Meta(min_length=1)]
        data: dict[str, Any] = {}
        context_refs: list[Annotated[str, Meta(min_length=1, max_length=256)]] = []
        correlation_id: Optional[Annotated[str, Meta(min_length=1, max_length=128)]] = None
        parent_event_id: Optional[UUID] = None

    documents = {
        "envelope": Union[RequestEnvelope, ResultEnvelope, ErrorEnvelope],
        "channel": ChannelMessage,
        "event": AgentEvent,
    }
    decoders = {document: msgspec.json.Decoder(of) for document, of in documents.items()}
    encoder = msgspec.json.Encoder()

    def one_pass(document, text):
        decoder = decoders[document]
        whole = decoder.decode(text)
        return lambda: decoder.decode(text), lambda: encoder.encode(whole)

    return one_pass


def orjson_with_schemas(schemas):
    import jsonschema_rs
    import orjson

    validators = {
        document: jsonschema_rs.validator_for(json.loads((schemas / f"{document}.json").read_text()))
        for document in ("envelope", "channel", "event")
    }

    def one_pass(document, text):
        validator = validators[document]

        def decode():
            whole = orjson.loads(text)
            if not validator.is_valid(whole):
                raise ValueError("refused")
            return whole

        whole = decode()
        return decode, lambda: orjson.dumps(whole)

    return one_pass


class Rust:
    """The Rust bench, measuring on demand."""

    def __init__(self):
        self.process = subprocess.Popen(
            [*BENCH, "--serve"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def nanoseconds(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def batch_of(work):
    """A function that measures a batch, and gives the nanoseconds of one time."""
    timer = timeit.Timer(work)
    times = 1
    while (took := min(timer.repeat(3, times))) * 4 < BATCH_SECONDS:
        times *= 2
    times = max(1, int(BATCH_SECONDS / (took / times)))
    return lambda: timer.timeit(times) / times * 1e9


def readable(nanoseconds):
    return f"{nanoseconds:.0f}" if nanoseconds < 10_000 else f"{nanoseconds / 1000:.1f} k"


def table(title, operation, names, peers, works, rust, rounds):
    print(f"\n{title}, ns, and how many times as long as workwire: medians of {rounds} rounds.\n")
    print("| message | workwire | plain serde_json | " + " | ".join(peers) + " |")
    print("|---|" + "---:|" * (len(peers) + 2))
    for name in names:
        batches = [
            lambda: rust.nanoseconds(f"ours {operation} {name}"),
            lambda: rust.nanoseconds(f"plain {operation} {name}"),
            *(batch_of(works[name][peer][operation == "encode"]) for peer in peers),
        ]
        figures = [[] for _ in batches]
        for round_number in range(rounds):
            order = range(len(batches))
            for index in order if round_number % 2 == 0 else reversed(order):
                figures[index].append(batches[index]())
        cells = [readable(statistics.median(figures[0]))]
        for peer in figures[1:]:
            ratio = statistics.median(one / ours for one, ours in zip(peer, figures[0]))
            digits = 1 if ratio >= 10 else 2
            cells.append(f"{readable(statistics.median(peer))} ({ratio:.{digits}f}×)")
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


def main():
    options = arguments()
    if not options.here:
        enter_venv(options.venv or pathlib.Path(tempfile.gettempdir()) / "workwire-peers")
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        subprocess.run([*BENCH, "--export", folder], cwd=ROOT, check=True)
        two_steps, one_pass = pydantic_models()
        peers = {
            "pydantic, two steps": two_steps,
            "pydantic, one pass": one_pass,
            "msgspec": msgspec_structs(),
            "orjson + jsonschema-rs": orjson_with_schemas(folder / "schemas"),
        }
        works = {}
        for path in sorted(folder.glob("*.json"), key=lambda path: (path.stat().st_size, path.name)):
            name, document, _ = path.name.split(".")
            if not options.message or name in options.message:
                works[name] = {peer: make(document, path.read_bytes()) for peer, make in peers.items()}
    rust = Rust()
    for title, operation in [("Decode and validate", "decode"), ("Encode", "encode")]:
        table(title, operation, works, peers, works, rust, options.rounds)
    rust.close()


if __name__ == "__main__":
    main()
