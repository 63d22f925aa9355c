"""Many prompts at once, and none of them made twice however often one begins again.

Beside the images lies a journal, a line for each step: a prompt is *asked* for under a key that
is made of its words and its place, and *done* when its files are written. A batch that is begun
again skips what is done; what was asked for is asked again with the same key, so the server answers
with the same task (see docs/reliability.md), and only what was never asked for is new.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from msgspec import Struct


class Wanted(Struct, frozen=True):
    """One image of a batch."""

    prompt: str
    key: str


def read(lines: Iterable[str]) -> list[str]:
    """The prompts of a file: one a line, `#` begins a comment."""
    stripped = (line.strip() for line in lines)
    return [line for line in stripped if line and not line.startswith("#")]


def wanted(name: str, prompts: Iterable[str], repeat: int) -> list[Wanted]:
    """Every image of a batch with its key: the same batch has the same keys."""
    seen: dict[str, int] = {}
    every = []
    for prompt in prompts:
        for _ in range(repeat):
            seen[prompt] = number = seen.get(prompt, 0) + 1
            digest = hashlib.sha256(f"{name}\n{prompt}\n{number}".encode())
            every.append(Wanted(prompt, f"batch-{digest.hexdigest()[:32]}"))
    return every


class Journal:
    """What has become of a batch's images. A line that was cut off counts as none."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.tasks: dict[str, str] = {}
        """Keys and the tasks that were asked for under them."""
        self.done: set[str] = set()
        for line in path.read_text().splitlines() if path.exists() else ():
            self._learn(line)

    def asked(self, key: str, task: str) -> None:
        self.tasks[key] = task
        self._write({"key": key, "task": task})

    def finished(self, key: str, files: list[str]) -> None:
        self.done.add(key)
        self._write({"key": key, "done": True, "files": files})

    def _learn(self, line: str) -> None:
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
        """Whether the last line was not written to its end."""
        data = self._path.read_bytes()
        return bool(data) and not data.endswith(b"\n")
