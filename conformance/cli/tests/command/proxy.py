"""An adapter that stands in front of another one, passes everything on, and misbehaves in one way.

    proxy.py WAY SIGN COMMAND...

What is wrong begins with the answer to the first `publish`, unless the way says otherwise; the file
SIGN is made when it has begun.
"""
import json
import os
import subprocess
import sys
import threading
import time

WAY, SIGN, COMMAND = sys.argv[1], sys.argv[2], sys.argv[3:]
if WAY == "exit_at_once":
    print("no \x1b[31mlicence", file=sys.stderr, flush=True)
    os._exit(4)
INNER = subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
methods = {}
begun = False


def say(line):
    sys.stdout.buffer.write(line if isinstance(line, bytes) else line.encode())
    sys.stdout.buffer.write(b"\n")
    sys.stdout.buffer.flush()


def answer(id, result):
    say(json.dumps({"jsonrpc": "2.0", "id": id, "result": result}))


def leave():
    subprocess.Popen(["sleep", "1000"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def out_of_luck():
    print("out of luck\x1b[31m", file=sys.stderr, flush=True)
    os._exit(3)


# Each gets the request's id and the line of its right answer.
WAYS = {
    "garbage": lambda id, line: (say("Listening on \x1b[1mport 7 …"), say(line)),
    "no_request": lambda id, line: (answer(999_999, {}), say(line)),
    "second_answer": lambda id, line: (say(line), say(line)),
    "wrong_shape": lambda id, line: answer(id, {"outcome": 7}),
    "unknown_code": lambda id, line: say(json.dumps({"jsonrpc": "2.0", "id": id, "error": {"code": 99, "message": "?"}})),
    "silence": lambda id, line: None,
    "deaf": lambda id, line: None,
    "long_line": lambda id, line: (say(b"x" * (17 << 20)), say(line)),
    "exit": lambda id, line: out_of_luck(),
    "child": lambda id, line: (leave(), say(line)),
}


def ask():
    for line in sys.stdin.buffer:
        request = json.loads(line)
        methods[request["id"]] = request["method"]
        if WAY == "never" or (WAY == "deaf" and begun):
            continue
        INNER.stdin.write(line)
        INNER.stdin.flush()
    INNER.stdin.close()


threading.Thread(target=ask, daemon=True).start()
for line in INNER.stdout:
    line = line.rstrip(b"\n")
    id = json.loads(line).get("id")
    if methods.get(id) == "publish" and not begun and WAY in WAYS:
        begun = True
        WAYS[WAY](id, line)
        open(SIGN, "w").close()
    else:
        say(line)
INNER.wait()
if WAY == "bad_exit":
    sys.stdout.flush()
    os._exit(5)
if WAY == "stay":
    time.sleep(1000)
# The thread that reads may still hold the input, which an interpreter that ends in order would want.
os._exit(0)
