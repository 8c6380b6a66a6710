"""An adapter that claims nothing but `core`: another one, of which less is told."""
import json
import subprocess
import sys

inner = subprocess.Popen([sys.argv[1], "adapter", "memory:"], stdout=subprocess.PIPE)
for line in inner.stdout:
    answer = json.loads(line)
    if "capabilities" in answer.get("result", {}):
        answer["result"]["capabilities"] = ["core"]
    print(json.dumps(answer), flush=True)
