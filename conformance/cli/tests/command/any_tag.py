"""An adapter with one defect: it takes any tag."""
import json
import subprocess
import sys

inner = subprocess.Popen([sys.argv[1], "adapter", "memory:"], stdout=subprocess.PIPE)
for line in inner.stdout:
    answer = json.loads(line)
    if answer.get("error", {}).get("code") == 3:
        answer = {"jsonrpc": "2.0", "id": answer["id"], "result": {}}
    print(json.dumps(answer), flush=True)
