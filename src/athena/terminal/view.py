"""What is seen while images are made: one line for each, and a small preview of the newest.

On a terminal the lines live; elsewhere there are plain lines, one for each change. It is all on
stderr: stdout holds nothing but the files' paths, or JSON.
"""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from athena.terminal.preview import Easel
from athena.terminal.states import state

if TYPE_CHECKING:
    from athena.client import Snapshot

_WIDE, _NARROW = 24, 8
_ROOMY = 72
"""Columns from which on a line holds everything."""


class View:
    """Enter it while tasks run, and tell it of each change. `previews`: whether images are shown;
    None where the terminal can."""

    def __init__(self, *, previews: bool | None = False) -> None:
        self._running: dict[str, Snapshot] = {}
        self._began: dict[str, float] = {}
        self._preview: RenderableType | None = None
        self.console = Console(file=sys.stderr, highlight=False)
        self.easel = Easel(self.console, previews)
        self._live = Live(
            get_renderable=self._lines,
            console=self.console,
            refresh_per_second=8,
            transient=True,
            redirect_stdout=False,
        )

    @property
    def is_live(self) -> bool:
        return self.console.is_terminal

    def __enter__(self) -> View:
        if self.is_live:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.is_live:
            self._live.stop()

    def show(self, task: Snapshot) -> None:
        """A task as it is now; one that has ended gets its last line."""
        self._began.setdefault(task.id, time.monotonic())
        if task.ended:
            self._running.pop(task.id, None)
            self._preview = None
            self.console.print(self._line(task) if self.is_live else _told(task), markup=False,
                               soft_wrap=not self.is_live)  # fmt: skip
            return
        before = self._running.get(task.id)
        self._running[task.id] = task
        if not self.is_live and (before is None or _told(before) != _told(task)):
            self.console.print(_told(task), markup=False, soft_wrap=True)

    def draw(self, data: bytes) -> None:
        """A preview of what is being made."""
        if self.console.width >= _ROOMY:
            self._preview = self.easel.small(data)

    def say(self, text: str) -> None:
        """A sentence above the lines."""
        self.console.print(text, markup=False)

    def _lines(self) -> RenderableType:
        lines: list[RenderableType] = [self._line(task) for task in self._running.values()]
        room = max(1, self.console.height - 14)
        hidden = len(lines) - room
        if hidden > 0:
            lines = [*lines[:room], Text(f"… and {hidden} more", "dim")]
        return Group(*lines, *([self._preview] if self._preview else []))

    def _line(self, task: Snapshot) -> Text:
        roomy = self.console.width >= _ROOMY
        wide = _WIDE if roomy else _NARROW
        filled = task.percent * wide // 100
        seconds = time.monotonic() - self._began[task.id]
        mode = str(task.properties.get("mode") or "") if roomy else ""
        colour = {"SUCCESS": "green", "FAILURE": "red", "CANCEL": "yellow"}.get(task.status, "bold")
        return Text.assemble(
            (f"{state(task):<10}", colour),
            ("━" * filled, "cyan"),
            ("━" * (wide - filled), "bright_black"),
            f" {task.percent:3d}% {seconds:5.1f} s  ",
            (f"{mode}  " if mode else "", "magenta"),
            (_named(task), "dim"),
            no_wrap=True,
            overflow="ellipsis",
        )


def _told(task: Snapshot) -> str:
    """A plain line."""
    return f"{state(task)} {task.percent}%  {_named(task)}"


def _named(task: Snapshot) -> str:
    """A task in a few words."""
    words = (task.prompt or task.description or task.id).replace("\n", " ")
    verb = task.action.lower().replace("_", " ")
    return words if verb == "imagine" else f"{verb}: {words}"
