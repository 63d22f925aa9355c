"""Previews by what the terminal supports: sixels, kitty's protocol, blocks, or nothing."""

import base64
import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import sys
import termios

import pytest
from PIL import Image

from tests.terminal.conftest import Terminal

SIXEL = b"\x1b[?62;4c"
KITTY = b"\x1b[?62c" + b"\x1b_Gi=1;OK\x1b\\"
NEITHER = b"\x1b[?62c" + b"\x1b[?0n"
"""A terminal's responses when it is queried for its type and for kitty's protocol."""

SIZE = struct.pack("HHHH", 40, 120, 120 * 8, 40 * 20)
"""Rows and columns, then the pixels of both: a cell is 8 by 20."""


def look(terminal: Terminal, answers: bytes, *args: str, term: str = "xterm-256color") -> str:
    """Everything that is sent to a terminal with these responses, which are typed ahead."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, SIZE)
    os.write(master, answers)
    environment = {**terminal.environment, "TERM": term}
    for name in ("COLUMNS", "NO_COLOR", "COLORTERM"):
        environment.pop(name, None)
    command = [sys.executable, "-m", "athena", "imagine", "a fox", "--out", "out", *args]
    process = subprocess.Popen(
        command, cwd=terminal.folder, env=environment, stdin=slave, stdout=slave, stderr=slave
    )
    os.close(slave)
    shown = b""
    try:
        while piece := os.read(master, 65536):
            shown += piece
    except OSError:
        pass  # the program has closed the terminal
    os.close(master)
    assert process.wait(60) == 0, shown
    return shown.decode(errors="replace")


def test_sixels(terminal: Terminal) -> None:
    shown = look(terminal, SIXEL)
    assert shown.count("\x1bP") == 1
    assert "\x1b_Ga=T" not in shown


def test_kitty_gets_the_image_where_the_cursor_is(terminal: Terminal) -> None:
    shown = look(terminal, KITTY)
    (sent,) = re.findall(r"\x1b_Ga=T,f=100,q=2,C=1,c=48,r=(\d+),", shown)
    assert int(sent) == round(48 * 8 / 20)
    pieces = re.findall(r"\x1b_G(?:a=T[^m]*)?m=[01];([^\x1b]*)\x1b\\", shown)
    with Image.open(io.BytesIO(base64.b64decode("".join(pieces)))) as image:
        image.load()
        assert image.format == "PNG"
        assert image.width == image.height >= 48 * 8
    assert "\U0010eeee" not in shown


def test_half_blocks(terminal: Terminal) -> None:
    shown = look(terminal, NEITHER)
    assert shown.count("▀") > 48 * 10
    assert "\x1bP" not in shown


@pytest.mark.parametrize(
    ("args", "term"), [(("--no-preview",), "xterm-256color"), ((), "xterm"), ((), "dumb")]
)
def test_no_image_if_disabled_or_unsupported(
    terminal: Terminal, args: tuple[str, ...], term: str
) -> None:
    shown = look(terminal, NEITHER, *args, term=term)
    assert "▀" not in shown
    assert shown.count("a-fox") == 5


def test_no_image_without_a_keyboard(terminal: Terminal) -> None:
    """No response is possible, and nothing may fail because of it."""
    master, slave = pty.openpty()
    command = [sys.executable, "-m", "athena", "imagine", "a fox", "--out", "out", "--preview"]
    process = subprocess.Popen(
        command, cwd=terminal.folder, env=terminal.environment, stdin=subprocess.DEVNULL,
        stdout=slave, stderr=slave,
    )  # fmt: skip
    assert process.wait(100) == 0
    os.close(slave)
    os.close(master)
    assert len(list((terminal.folder / "out").iterdir())) == 5
