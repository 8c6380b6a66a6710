#!/usr/bin/env python3
"""Writes the seeds in `corpus` from the vectors in `../schemas/vectors`.

Of each kind of document, accepted and refused ones apart, one vector is taken for each clause that
they show: the smallest. The same bytes may be put to any target, so each vector goes to one alone.

    seed.py           writes these
    seed.py FOLDER    writes every vector into a folder of yours
"""

import base64
import json
import sys
from pathlib import Path

FUZZ = Path(__file__).resolve().parent
VECTORS = FUZZ.parent / "schemas" / "vectors"
# Longer inputs make a fuzzer slow.
MAX_BYTES = 4096
# Where the vectors of a kind go. What other forms carry is read in a round trip.
FOLDERS = {
    "envelope": "decode_envelope",
    "channel": "decode_channel",
    "event": "decode_event",
    "cloudevent": "round_trip",
    "stream": "round_trip",
}


def body(vector):
    if "body_base64" in vector:
        return base64.b64decode(vector["body_base64"])
    if "body_parts" in vector:
        return "".join(part["text"] * part["times"] for part in vector["body_parts"]).encode()
    return vector["body"].encode()


def folder(vector):
    about_json = all(clause.startswith("JSN-") for clause in vector["clauses"])
    if about_json and not vector["accepted"]:
        return "strict_json"
    if vector["mode"] == "lenient":
        return "types_against_schema"
    return FOLDERS[vector["kind"]]


def vectors():
    """Every vector that a fuzzer can do with: its file's name, what it is, its bytes."""
    for path in sorted(VECTORS.glob("*valid/*/*.json")):
        vector = json.loads(path.read_text())
        data = body(vector)
        if vector["kind"] in FOLDERS and len(data) <= MAX_BYTES:
            yield vector["name"].replace("/", "-"), vector, data


def seeds():
    """The smallest vector for each folder, kind, verdict and clause."""
    smallest = {}
    for name, vector, data in vectors():
        place = folder(vector)
        kind = "" if place == "strict_json" else vector["kind"]
        for clause in vector["clauses"]:
            shows = (place, kind, vector["accepted"], clause)
            smallest[shows] = min(smallest.get(shows, (len(data), name, data)), (len(data), name, data))
    return {FUZZ / "corpus" / shows[0] / name: data for shows, (_, name, data) in smallest.items()}


def main():
    if len(sys.argv) > 1:
        written = {Path(sys.argv[1]) / name: data for name, _, data in vectors()}
    else:
        written = seeds()
    for path, data in written.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    print(f"{len(written)} seeds, {sum(map(len, written.values()))} bytes")


if __name__ == "__main__":
    main()
