"""The make targets that start and stop a server in the background."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import requests

ROOT = Path(__file__).parents[2]


def test_a_server_in_the_background(need: Callable[[str], str], tmp_path: Path) -> None:
    make = need("make")

    def run(target: str) -> str:
        command = [make, target, "SIMULATE=--or-simulate", "PORT=0", f"RUN={tmp_path}"]
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=90, check=True
        )
        return done.stdout

    said = run("start-server")
    try:
        found = re.search(r"Athena is ready: (\S+)", said)
        assert found, said
        body = {"prompt": "a cute cat", "extra": "--ar 9:16"}
        answer = requests.post(f"{found[1]}/v1/api/trigger/imagine", json=body, timeout=30).json()
        assert (answer["message"], len(answer["trigger_id"])) == ("success", 10)
        assert "Already running" in run("start-server")
    finally:
        assert "Stopped" in run("stop-server")
    assert "No background server" in run("stop-server")
