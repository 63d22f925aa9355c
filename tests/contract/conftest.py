"""A real server process with the simulator, called as clients do."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

import requests

Json = dict[str, Any]


class Server(Struct):
    """A running server: its URL, its simulator's, and its data folder."""

    url: str
    simulator: str
    folder: Path

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """The JSON of a response; every response must be JSON."""
        answer = requests.request(method, self.url + path, json=body, headers=headers, timeout=60)
        assert answer.headers["Content-Type"].startswith("application/json"), answer.text
        return answer.json()

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.call("POST", path, body, **headers)

    def get(self, path: str, **headers: str) -> Any:
        return self.call("GET", path, **headers)

    def ended(self, task_id: str, prefix: str = "/mj") -> Json:
        while True:
            task = self.get(f"{prefix}/task/{task_id}/fetch?wait=30")
            if task["finishTime"]:
                return dict(task)

    def done(self, path: str, body: Json) -> Json:
        """Submit and wait for the task, which must succeed."""
        answer = self.post(path, body)
        assert answer["code"] in (1, 22), answer
        task = self.ended(answer["result"])
        assert task["status"] == "SUCCESS", task["failReason"]
        return task


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    command = [sys.executable, "-m", "athena", "serve", "--simulate", "--port", "0"]
    environment = {
        **os.environ,
        "ATHENA_PICTURES__PROXY_HOST": "https://img.example.com",
        "ATHENA_HOOKS__ALLOW_LOOPBACK": "1",
        "ATHENA_LOG__LEVEL": "ERROR",
        "PYTHONUNBUFFERED": "1",
    }
    process = subprocess.Popen(
        [*command, "--speed", "200", "--data-dir", str(folder)],
        cwd=folder, env=environment, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield Server(*places(process), folder)
    finally:
        process.terminate()
        process.wait(20)


def places(process: "subprocess.Popen[str]") -> tuple[str, str]:
    assert process.stdout
    said = ""
    for line in process.stdout:
        said += line
        if ready := re.search(r"Athena is ready: (\S+)", said):
            simulator = re.search(r"Simulator for Discord and Midjourney: (\S+)", said)
            assert simulator, said
            return ready[1], simulator[1]
    raise AssertionError(f"the server did not start: {said}")
