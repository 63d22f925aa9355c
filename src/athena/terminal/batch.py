"""Batches of prompts that can be resumed, without creating any image twice.

A journal in the output folder has a line for each step: a prompt is *submitted* under a key derived
from its text and its number, and *done* when its files are written. A resumed batch skips prompts
that are done. Prompts that were submitted are submitted again with the same key, so the server
returns the same task (see docs/reliability.md). Only prompts that were never submitted start new
jobs.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from msgspec import Struct


class BatchJob(Struct, frozen=True):
    """One job of a batch."""

    prompt: str
    key: str


def read(lines: Iterable[str]) -> list[str]:
    """The prompts of a file: one per line; `#` starts a comment."""
    stripped = (line.strip() for line in lines)
    return [line for line in stripped if line and not line.startswith("#")]


def jobs(name: str, prompts: Iterable[str], repeat: int) -> list[BatchJob]:
    """All jobs of a batch with their keys; the same batch always has the same keys."""
    seen: dict[str, int] = {}
    every = []
    for prompt in prompts:
        for _ in range(repeat):
            seen[prompt] = number = seen.get(prompt, 0) + 1
            digest = hashlib.sha256(f"{name}\n{prompt}\n{number}".encode())
            every.append(BatchJob(prompt, f"batch-{digest.hexdigest()[:32]}"))
    return every


class Journal:
    """The progress of a batch. A truncated line is ignored."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.tasks: dict[str, str] = {}
        """The task submitted under each key."""
        self.done: set[str] = set()
        for line in path.read_text().splitlines() if path.exists() else ():
            self._read(line)

    def submitted(self, key: str, task: str) -> None:
        self.tasks[key] = task
        self._write({"key": key, "task": task})

    def finished(self, key: str, files: list[str]) -> None:
        self.done.add(key)
        self._write({"key": key, "done": True, "files": files})

    def _read(self, line: str) -> None:
        try:
            said = json.loads(line)
            key = str(said["key"])
        except (ValueError, KeyError, TypeError):
            return
        if said.get("task"):
            self.tasks[key] = str(said["task"])
        if said.get("done"):
            self.done.add(key)

    def _write(self, said: dict[str, Any]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a") as file:
            file.write("\n" + json.dumps(said) if self._is_cut() else json.dumps(said))
            file.write("\n")

    def _is_cut(self) -> bool:
        """Whether the last line is truncated."""
        data = self._path.read_bytes()
        return bool(data) and not data.endswith(b"\n")
