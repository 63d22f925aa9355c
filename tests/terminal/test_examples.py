"""Every example in the README, docs/ and --help works unchanged."""

import json
import re
import shlex
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import requests
from tests.terminal.conftest import Terminal, draw, draw_mask

ROOT = Path(__file__).parents[2]
SPEED = 100

_SERVERS = ("serve", "simulate")
"""Commands that run until they are stopped."""

_OF_GRIDS = ("upscale last 2", "vary last 3", "reroll last")


def written() -> Iterator[str]:
    """The commands in the indented blocks of the documentation."""
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        for line in page.read_text().splitlines():
            found = re.match(r" {4,}(athena .*)", line)
            if found:
                yield found[1].partition("  #")[0].strip()


def helped() -> Iterator[str]:
    """The examples in every command's --help."""
    for path in sorted((ROOT / "src/athena/terminal").glob("*.py")):
        for line in path.read_text().splitlines():
            found = re.fullmatch(r" {6}(athena .*)", line)
            if found:
                yield found[1]


EXAMPLES = sorted({*written(), *helped()})


@pytest.fixture
def ready(terminal: Terminal) -> Terminal:
    """With the files that the examples use."""
    for name, colour in (
        ("cat.png", "teal"),
        ("castle.png", "gray"),
        ("sketch.png", "white"),
        ("face.png", "pink"),
    ):
        draw(terminal.folder / name, colour)
    (terminal.folder / "prompts.txt").write_text("a cat\na dog\n")
    (terminal.folder / "messages.jsonl").write_text(
        '{"content": "**a cat** - <@1> (31%) (fast)"}\n'
    )
    (terminal.folder / "simulator.toml").write_text('[[users]]\nname = "ada"\ntoken = "t"\n')
    (terminal.folder / "data").mkdir()
    (terminal.folder / "data" / "unknown-forms.jsonl").write_text('{"content": "what"}\n')
    return terminal


def blocks(start: str) -> list[str]:
    """The indented blocks in the README and docs/ that start with a text."""
    pages = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
    text = "\n".join(page.read_text() for page in pages)
    found = re.findall(r"(?:^    .*\n|^\n)+", text, re.MULTILINE)
    plain = (textwrap.dedent(block).strip() for block in found)
    return [block for block in plain if block.startswith(start)]


def curls() -> list[str]:
    joined = "\n".join(blocks("curl")).replace("\\\n", " ")
    return [line for line in joined.splitlines() if line.startswith("curl")]


def test_there_are_examples() -> None:
    assert len(EXAMPLES) > 30
    assert len(curls()) > 4
    assert len(PROGRAMS) == 8


PROGRAMS = [*blocks("from athena"), *blocks("import a")]


@pytest.mark.parametrize("code", PROGRAMS)
def test_a_program(ready: Terminal, code: str) -> None:
    code = code.replace("http://127.0.0.1:8062", ready.server.url)
    code = re.sub(
        r'athena.imagine\(("[^"]+")', rf'athena.imagine(\1, server="{ready.server.url}"', code
    )
    body = textwrap.indent(code, "    ")
    program = f"import asyncio\n\nasync def main():\n{body}\n\nasyncio.run(main())\n"
    if "await" not in code:
        program = code
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ready.folder, env=ready.environment,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout
    saves = ".save(" in code or "download_path" in code
    assert any(ready.folder.glob("*/*_1.*")) == saves


@pytest.mark.parametrize("command", curls())
def test_a_call(ready: Terminal, need: Callable[[str], str], command: str) -> None:
    need("curl")
    ready.athena("imagine", "a cat")
    task = requests.get(f"{ready.server.url}/mj/task/list?size=1", timeout=30).json()[0]
    command = command.replace("http://127.0.0.1:8062", ready.server.url)
    command = command.replace("1795229866049104", task["id"])
    command = command.replace("MJ::JOB::upsample::2::...", task["buttons"][1]["customId"])
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, check=True, cwd=ready.folder
    )
    said = json.loads(done.stdout)
    assert said.get("code", 1) in (1, 22), said


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example(ready: Terminal, example: str) -> None:
    args = shlex.split(example)[1:]
    if args[0] in _SERVERS:
        _starts(ready, args)
        return
    prepare(ready, " ".join(args))
    typed = "token\n1100000000000000001\n1100000000000000201\n" if args[:2] == ["config", "init"] \
        else "quit\n"  # fmt: skip
    code = None if args[0] in ("doctor", "cancel") else 0
    done = ready.athena(*args, typed=typed, code=code)
    assert "Traceback" not in done.stderr


def prepare(terminal: Terminal, command: str) -> None:
    """Make `last` the kind of image that the example needs."""
    if " last" not in f" {command}":
        return
    terminal.athena("imagine", "a cat --ar 3:2", "--out", "before")
    if command not in _OF_GRIDS and not command.startswith(("show", "open", "seed", "cancel")):
        terminal.athena("upscale", "last", "1", "--out", "before")
        newest = requests.get(f"{terminal.server.url}/mj/task/list?size=1", timeout=30).json()[0]
        draw_mask(terminal.folder / "mask.png", (newest["imageWidth"], newest["imageHeight"]))


def _starts(terminal: Terminal, args: list[str]) -> None:
    free = ["--port", "0"] if "--port" not in args else []
    given = [re.sub(r"^9001$", "0", each) for each in args]
    account = {"USER_TOKEN": "x", "GUILD_ID": "1" * 18, "CHANNEL_ID": "2" * 18}
    process = subprocess.Popen(
        [sys.executable, "-m", "athena", *given, *free], cwd=terminal.folder, text=True,
        env={**terminal.environment, **account, "PYTHONUNBUFFERED": "1"}, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        assert process.stdout
        assert any("Press Ctrl-C to stop" in line for line in process.stdout)
    finally:
        process.terminate()
        process.wait(20)
