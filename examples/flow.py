"""The complete flow in Python, with only the standard library.

    python examples/flow.py http://127.0.0.1:8062
    python examples/flow.py http://127.0.0.1:8062/mj-turbo-proxy

SECRET in the environment is the server's API secret, if it has one.
"""

import json
import os
import sys
import urllib.request
from typing import Any

BASE = (sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8062") + "/mj"
HEADERS = {"mj-api-secret": os.environ.get("SECRET", ""), "Content-Type": "application/json"}


def ask(method: str, path: str, body: object = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(BASE + path, data, HEADERS, method=method)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def submit(path: str, **body: object) -> str:
    answer = ask("POST", f"/submit/{path}", body)
    print(answer["code"], answer["description"], file=sys.stderr)
    if answer["code"] not in (1, 21, 22):
        sys.exit("not accepted")
    return str(answer["result"])


def finished(task_id: str) -> dict[str, Any]:
    """The finished task; each call returns at the next change."""
    while True:
        task: dict[str, Any] = ask("GET", f"/task/{task_id}/fetch?wait=30")
        print(task["status"], task["progress"], file=sys.stderr)
        if task["status"] == "FAILURE":
            sys.exit(task["failReason"])
        if task["finishTime"]:
            return task


def button(task: dict[str, Any], label: str) -> str:
    return next(str(b["customId"]) for b in task["buttons"] if b["label"] == label)


grid = finished(submit("imagine", prompt="a lighthouse at dusk --ar 3:2"))
single = finished(submit("action", taskId=grid["id"], customId=button(grid, "U2")))
window = submit("action", taskId=single["id"], customId=button(single, "Custom Zoom"))
zoomed = finished(submit("modal", taskId=window, prompt="a lighthouse at dusk --ar 3:2 --zoom 1.5"))
print(zoomed["imageUrl"])
