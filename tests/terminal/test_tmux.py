"""The output in a real terminal."""

import re
import shlex
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.terminal.conftest import Terminal

SPEED = 6
"""An image takes about five seconds: time to look, and to press Ctrl-C."""


class Screen:
    """A terminal with a shell in it."""

    def __init__(self, tmux: str, terminal: Terminal, wide: int, high: int) -> None:
        self._tmux = [tmux, "-L", f"athena-{uuid.uuid4().hex[:8]}", "-f", "/dev/null"]
        environment = {**terminal.environment, "TERM": "xterm-256color", "PS1": "$ "}
        del environment["COLUMNS"]
        subprocess.run(
            [*self._tmux, "new-session", "-d", "-x", str(wide), "-y", str(high), "sh"],
            cwd=terminal.folder, env=environment, check=True,
        )  # fmt: skip

    def athena(self, *args: str) -> None:
        command = shlex.join([sys.executable, "-m", "athena", *args])
        self.type(f'clear; {command}; echo "left with $?"')
        self.press("Enter")

    def type(self, text: str) -> None:
        self._run("send-keys", "-l", "--", text)

    def press(self, key: str) -> None:
        self._run("send-keys", key)

    def text(self, *, colours: bool = False) -> str:
        shown = self._run("capture-pane", "-p", *(["-e"] if colours else []))
        return shown.stdout

    def until(self, done: Callable[[str], bool]) -> str:
        """Wait for a condition; the test's timeout is the limit."""
        while not done(text := self.text()):
            time.sleep(0.05)  # tmux offers no notification
        return text

    def close(self) -> None:
        self._run("kill-server")

    def _run(self, *command: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run([*self._tmux, *command], capture_output=True, text=True, check=False)


Open = Callable[..., Screen]


@pytest.fixture
def screen(need: Callable[[str], str], terminal: Terminal) -> Iterator[Open]:
    tmux = need("tmux")
    opened: list[Screen] = []

    def open_screen(wide: int = 100, high: int = 30) -> Screen:
        opened.append(Screen(tmux, terminal, wide, high))
        return opened[-1]

    yield open_screen
    for each in opened:
        each.close()


def test_the_live_view(screen: Open, terminal: Terminal) -> None:
    shown = screen()
    shown.athena("imagine", "a {red, blue} fox", "--out", "out", "--preview")
    seen = shown.until(lambda text: text.count("drawing") == 2 and "▀▀▀▀" in text)
    assert "a red fox" in seen
    assert "a blue fox" in seen
    assert "% " in seen
    assert "fast" in seen
    seen = shown.until(lambda text: "left with" in text)
    assert "left with 0" in seen
    assert len(list(Path(terminal.folder / "out").iterdir())) == 10


def test_ctrl_c_once_detaches_and_prints_how_to_resume(screen: Open, terminal: Terminal) -> None:
    shown = screen()
    shown.athena("imagine", "a fox that goes on", "--no-preview")
    shown.until(lambda text: "drawing" in text)
    shown.press("C-c")
    seen = shown.until(lambda text: "left with" in text)
    assert "left with 130" in seen
    assert "athena show" in seen.replace("\n", " ")
    back = terminal.athena("show", "last", "--wait")
    assert back.stdout.count("fox-that-goes-on") == 5


def test_ctrl_c_twice_cancels_at_midjourney(screen: Open, terminal: Terminal) -> None:
    shown = screen()
    shown.athena("imagine", "a fox that is not wanted", "--no-preview")
    shown.until(lambda text: "drawing" in text)
    shown.press("C-c")
    shown.until(lambda text: "Press Ctrl-C again" in text.replace("\n", " "))
    shown.press("C-c")
    seen = shown.until(lambda text: "left with" in text)
    assert "cancelled" in seen
    assert "left with 130" in seen
    while terminal.jobs()[-1]["end"] is None:
        pass
    assert terminal.jobs()[-1]["end"] == "stopped"


def test_three_images_at_once_while_typing(screen: Open, terminal: Terminal) -> None:
    shown = screen(wide=110, high=40)
    shown.athena("shell", "--out", "out")
    shown.until(lambda text: "athena>" in text)
    for prompt in ("a red fox", "a blue whale", "a green frog"):
        shown.type(prompt)
        shown.press("Enter")
    shown.type("half a sen")
    seen = shown.until(lambda text: text.count("drawing") == 3)
    assert "athena> half a sen" in seen
    seen = shown.until(lambda text: all(f"#{n} done" in text for n in (1, 2, 3)))
    assert "athena> half a sen" in seen
    assert "Idle" in shown.until(lambda text: "Idle" in text)
    shown.type("tence")
    assert "half a sentence" in shown.until(lambda text: "half a sentence" in text)
    shown.press("C-u")
    shown.type("u2 #1")
    shown.press("Enter")
    shown.until(lambda text: "#4 done" in text)
    shown.type("--a")
    shown.press("Tab")
    shown.until(lambda text: "athena> --ar" in text)
    shown.press("C-u")
    shown.press("C-d")
    assert "left with 0" in shown.until(lambda text: "left with" in text)
    assert len(list(Path(terminal.folder / "out").iterdir())) == 3 * 5 + 1


def test_a_narrow_modal(screen: Open) -> None:
    shown = screen(wide=44, high=20)
    shown.athena("imagine", "a long prompt about a fox in the snow")
    seen = shown.until(lambda text: "drawing" in text)
    (line,) = [line for line in seen.splitlines() if line.startswith("drawing")]
    assert len(line) <= 44
    assert "▀" not in seen
    shown.until(lambda text: "left with 0" in text)


def test_no_colour(screen: Open) -> None:
    shown = screen()
    shown.athena("imagine", "a fox without colour")
    shown.until(lambda text: "drawing" in text)
    lines = [line for line in shown.text(colours=True).splitlines() if "drawing" in line]
    assert lines
    assert not any(re.search(r"\x1b\[[\d;]*(?:3[0-8]|9[0-7])", line) for line in lines)
    shown.until(lambda text: "left with 0" in text)
