"""The examples, run as documented."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.contract.conftest import Server

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize("prefix", ["", "/mj-turbo-proxy"])
@pytest.mark.parametrize("script", ["flow.sh", "flow.py"])
def test_the_flow(server: Server, need: Callable[[str], str], script: str, prefix: str) -> None:
    program = need("bash") if script.endswith(".sh") else sys.executable
    if script.endswith(".sh"):
        need("curl")
    run = subprocess.run(
        [program, str(EXAMPLES / script), server.url + prefix],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    wanted = "https://img.example.com/" if prefix else server.simulator
    assert run.stdout.strip().startswith(wanted)
    newest = server.get("/mj/task/list?size=1")[0]
    assert (newest["action"], newest["status"]) == ("ZOOM", "SUCCESS")
    assert ("(turbo)" in newest["properties"]["messageContent"]) is bool(prefix)
