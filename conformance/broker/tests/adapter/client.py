import json, subprocess, sys, uuid

adapter = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
requests = 0


def call(method, **params):
    global requests
    requests += 1
    request = {"jsonrpc": "2.0", "id": requests, "method": method, "params": params}
    print(json.dumps(request), file=adapter.stdin, flush=True)
    answer = json.loads(adapter.stdout.readline())
    if "error" in answer:
        sys.exit(f"{method}: {answer['error']['message']}")
    return answer["result"]


queue = {"name": "tasks"}
broker = call("initialize", contract="1", runner={"name": "example", "version": "1"})
print("can do", ", ".join(broker["capabilities"]))
call("open", client="a")
call("declare", client="a", queue=queue, policy={"max_attempts": 5})
call("publish", client="a", queue=queue, id=str(uuid.uuid4()), body="to do", encoding="utf8")
[taken] = call("fetch", client="a", queue=queue, consumer="me", max=1, wait_ms=0)["deliveries"]
print("took", taken["body"], "at attempt", taken["attempt"])
call("settle", client="a", queue=queue, tag=taken["tag"], verdict="done")
print("left", call("depth", client="a", queue=queue)["ready"])
call("shutdown")
sys.exit(adapter.wait())
