"""The live view: a line for each running task, and a small preview of the latest one.

On a terminal the lines are updated in place; elsewhere each change is a plain line. Everything goes
to
stderr: stdout contains only the paths of files, or JSON.
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
"""The number of columns from which a line fits everything."""


class View:
    """A context manager that shows running tasks; `show` updates a task. `previews`: whether images
    are shown; None: if the terminal supports them."""

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
        """Update a task; a task that has ended gets its final line."""
        self._began.setdefault(task.id, time.monotonic())
        if task.ended:
            self._running.pop(task.id, None)
            self._preview = None
            line = self._line(task) if self.is_live else _plain_line(task)
            self.console.print(line, markup=False, soft_wrap=not self.is_live)
            return
        before = self._running.get(task.id)
        self._running[task.id] = task
        if not self.is_live and (before is None or _plain_line(before) != _plain_line(task)):
            self.console.print(_plain_line(task), markup=False, soft_wrap=True)

    def draw(self, data: bytes) -> None:
        """Show the preview of an unfinished image."""
        if self.console.width >= _ROOMY:
            self._preview = self.easel.small(data)

    def say(self, text: str) -> None:
        """Print a message above the lines."""
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
            (_title(task), "dim"),
            no_wrap=True,
            overflow="ellipsis",
        )


def _plain_line(task: Snapshot) -> str:
    """A plain line."""
    return f"{state(task)} {task.percent}%  {_title(task)}"


def _title(task: Snapshot) -> str:
    """A short title of a task."""
    words = (task.prompt or task.description or task.id).replace("\n", " ")
    verb = task.action.lower().replace("_", " ")
    return words if verb == "imagine" else f"{verb}: {words}"
