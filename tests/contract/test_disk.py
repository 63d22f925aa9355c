"""A full disk: a real server reports it, loses nothing, and recovers with the disk."""

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.conftest import Server, places


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[tuple[Server, int]]:
    """A separate server and its process id. Jobs take some seconds."""
    command = [sys.executable, "-m", "athena", "serve", "--simulate", "--port", "0"]
    environment = {**os.environ, "ATHENA_LOG__LEVEL": "ERROR", "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [*command, "--speed", "20", "--data-dir", str(tmp_path)],
        cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    try:
        yield Server(*places(process), tmp_path), process.pid
    finally:
        process.terminate()
        process.wait(30)


def _allow(process: int, size: int) -> None:
    """Limit the size of the files of a process, in bytes."""
    _, most = resource.prlimit(process, resource.RLIMIT_FSIZE)
    resource.prlimit(process, resource.RLIMIT_FSIZE, (size, most))


def test_a_full_disk(alone: tuple[Server, int]) -> None:
    server, process = alone
    imagine = {"prompt": "a cat"}
    taken = [server.post("/mj/submit/imagine", imagine)["result"] for _ in range(4)]
    assert server.get("/health/ready")["ready"] is True

    _allow(process, 1)
    refused = server.post("/mj/submit/imagine", imagine)
    assert refused["code"] == 9
    assert "store" in refused["description"] or "存储" in refused["description"]
    trigger = server.post("/v1/api/trigger/imagine", {"prompt": "a cat"})
    assert trigger["code"] == 12
    health = server.get("/health/ready")
    assert health["ready"] is False
    assert health["store"]
    assert server.get(f"/mj/task/{taken[0]}/fetch")["id"] == taken[0]

    _allow(process, resource.RLIM_INFINITY)
    tasks = [server.ended(task_id) for task_id in taken]
    assert [task["status"] for task in tasks] == ["SUCCESS"] * 4
    while not server.get("/health/ready")["ready"]:
        pass
    last = server.done("/mj/submit/imagine", imagine)
    known = {task["id"] for task in server.get("/mj/task/list")}
    assert known == {*taken, last["id"]}
