"""An adapter that does nothing but answer, and misbehaves in one way when it is asked for a depth.

Its first argument names the way. Lines are counted from 1: `initialize` is answered on line 1, `open`
on line 2, and what is wrong begins on line 3.
"""
import json
import os
import subprocess
import sys
import time

WAY = sys.argv[1]


def say(line):
    sys.stdout.buffer.write(line if isinstance(line, bytes) else line.encode())
    sys.stdout.buffer.write(b"\n")
    sys.stdout.buffer.flush()


def answer(id, result):
    say(json.dumps({"jsonrpc": "2.0", "id": id, "result": result}))


def refuse(id, **error):
    say(json.dumps({"jsonrpc": "2.0", "id": id, "error": error}))


def right(id):
    answer(id, {"ready": 7})


def first(line):
    return lambda id: (say(line), right(id))


def instead(*members):
    """An answer whose members are other ones; the id is its own."""
    return lambda id: say("{" + ",".join(members).replace("ID", str(id)) + "}")


def log(text):
    print(text, file=sys.stderr, flush=True)


def leave(**how):
    child = subprocess.Popen(["sleep", "1000"], **how)
    log(f"child {child.pid}")


def ended(status):
    log("out of luck\x1b[31m")
    # Not by `sys.exit`, which would tidy up.
    os._exit(status)


def close_output(id):
    os.close(1)
    time.sleep(1000)


def close_input(id):
    right(id)
    os.close(0)
    time.sleep(1000)


VERSION = '"jsonrpc":"2.0"'
WAYS = {
    "right": right,
    "not_json": first("Listening on \x1b[1mport 7\x1b[0m …"),
    "not_utf8": first(b'{"a": "\xff"}'),
    "blank": first(""),
    "cut": first('{"jsonrpc": "2.0", "id": 3, "resu'),
    "no_request": lambda id: (answer(999, {}), right(id)),
    "not_yet": lambda id: (answer(id + 1, {}), right(id)),
    "id_null": lambda id: (refuse(None, code=-32700, message="what?"), right(id)),
    "no_id": first('{"jsonrpc": "2.0", "result": {}}'),
    "other_type_of_id": lambda id: (answer(str(id), {"ready": 7}), right(id)),
    "second_answer": lambda id: (right(id), answer(id, {"ready": 8})),
    "a_list": first("[]"),
    "a_number": first("17"),
    "a_request": instead(VERSION, '"id":ID', '"method":"depth"'),
    "neither": instead(VERSION, '"id":ID'),
    "both": instead(VERSION, '"id":ID', '"result":{"ready":7}', '"error":{"code":1,"message":""}'),
    "no_version": instead('"id":ID', '"result":{"ready":7}'),
    "other_version": instead('"jsonrpc":"1.0"', '"id":ID', '"result":{"ready":7}'),
    "error_without_code": instead(VERSION, '"id":ID', '"error":{"message":"no"}'),
    "error_is_text": instead(VERSION, '"id":ID', '"error":"no"'),
    "missing": lambda id: answer(id, {"leased": 1}),
    "mistyped": lambda id: answer(id, {"ready": "seven"}),
    "negative": lambda id: answer(id, {"ready": -1}),
    "result_is_a_list": lambda id: answer(id, []),
    "deep": lambda id: say('{"jsonrpc":"2.0","id":%d,"result":%s}' % (id, "[" * 100000 + "]" * 100000)),
    "unknown_code": lambda id: refuse(id, code=99, message="so \x1b[7mthere"),
    "internal_error": lambda id: refuse(id, code=-32603, message="Internal error"),
    "method_not_found": lambda id: refuse(id, code=-32601, message="Method not found"),
    "wrong_params": lambda id: refuse(id, code=-32602, message="queue: wrong"),
    "silence": lambda id: None,
    "long_line": lambda id: (say(b"x" * (17 << 20)), right(id)),
    "extra": lambda id: answer(id, {"ready": 7, "colour": {"red": [1]}, "dead": None}),
    "exit": lambda id: ended(3),
    "exit_well": lambda id: ended(0),
    "kill": lambda id: os.kill(os.getpid(), 9),
    "half_a_line": lambda id: (os.write(1, b'{"jsonrpc": "2.0", "id"'), ended(3)),
    "close_output": close_output,
    "close_input": close_input,
    "exit_with_child": lambda id: (leave(), ended(3)),
    "child": lambda id: (leave(), right(id)),
    "silent_child": lambda id: (leave(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL), right(id)),
    "child_of_its_own": lambda id: (leave(start_new_session=True), right(id)),
    "exit_other": right,
    "stay": right,
    "no_shutdown": right,
    "flood": lambda id: ([say("again") for _ in range(3000)], right(id)),
}

for line in sys.stdin:
    request = json.loads(line)
    id, method = request["id"], request["method"]
    if WAY == "never":
        continue
    if method == "initialize" and WAY == "other_contract":
        answer(id, {"contract": "2", "name": "other", "version": "0", "capabilities": ["core"]})
    elif method == "initialize" and WAY == "odd_capability":
        answer(id, {"contract": "1", "name": "odd", "version": "0", "capabilities": ["core", "prioritee"]})
    elif method == "initialize" and WAY == "one_priority":
        answer(id, {"contract": "1", "name": "one", "version": "0", "capabilities": ["core", "priority"],
                    "limits": {"max_priority": 1, "max_message_bytes": 1024}})
    elif method == "initialize" and WAY == "exit_at_once":
        ended(4)
    elif method == "initialize":
        answer(id, {"contract": "1", "name": "misbehaves", "version": "0", "capabilities": ["core"]})
    elif method == "depth":
        WAYS[WAY](id)
    elif method == "fetch":
        answer(id, {"deliveries": [{"tag": "t", "id": str(id).rjust(8, "0") + "-0000-0000-0000-000000000000",
                                    "body": "YQ", "encoding": "base64", "priority": 1, "attempt": 1}]})
    elif method == "publish_batch":
        answer(id, {"outcomes": ["stored", {"code": 4, "message": "full"}, {"code": 77, "message": "?"}]})
    elif method == "shutdown" and WAY == "no_shutdown":
        pass
    elif method == "shutdown":
        answer(id, {})
        if WAY == "exit_other":
            ended(5)
        if WAY == "stay":
            time.sleep(1000)
        break
    else:
        answer(id, {})
