"""A batch that is killed and resumed creates every image once."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.terminal.conftest import Terminal

SPEED = 40


def test_forty_images_and_a_kill(terminal: Terminal) -> None:
    prompts = [f"image number {n}" for n in range(37)]
    lines = ["# images for the shop", *prompts, "", "{red, blue} car", "a boat"]
    (terminal.folder / "prompts.txt").write_text("\n".join(lines))
    command = ["imagine", "--from", "prompts.txt", "--repeat", "1", "--out", "out", "--yes"]
    first = subprocess.Popen(
        [sys.executable, "-m", "athena", *command], cwd=terminal.folder, env=terminal.environment,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert first.stdout
    for _ in range(5 * 9):  # nine grids with their tiles are saved
        assert first.stdout.readline()
    os.kill(first.pid, signal.SIGKILL)
    first.wait()

    again = terminal.athena(*command)
    assert "40 jobs" in again.stderr
    assert len(terminal.jobs()) == 40
    assert len({job["prompt"] for job in terminal.jobs()}) == 40
    grids = list((terminal.folder / "out").glob("*_grid.png"))
    assert len({path.name.split("_")[2] for path in grids}) == 40

    nothing = terminal.athena(*command)
    assert "40 jobs: 40 already done, 0 to do" in nothing.stderr
    assert len(terminal.jobs()) == 40


def test_a_truncated_line_is_ignored(terminal: Terminal) -> None:
    (terminal.folder / "few.txt").write_text("one\ntwo\n")
    made = len(terminal.jobs())
    command = ["imagine", "--from", "few.txt", "--out", "out"]
    terminal.athena(*command)
    journal = terminal.folder / "out" / ".few.txt.athena"
    whole = journal.read_text()
    journal.write_text(whole[: len(whole) - 25])
    terminal.athena(*command)
    assert len(terminal.jobs()) == made + 2


def test_many_jobs_need_confirmation(terminal: Terminal) -> None:
    refused = terminal.athena("imagine", "{a, b, c, d} and {x, y, z}", typed="n\n", code=1)
    assert "12 jobs (48 images)" in refused.stderr
    assert not Path(terminal.folder / "images").exists()


def test_unusable_prompts(terminal: Terminal) -> None:
    (terminal.folder / "empty.txt").write_text("# nothing\n")
    assert "No prompts" in terminal.athena("imagine", "--from", "empty.txt", code=2).stderr
    assert "Cannot read" in terminal.athena("imagine", "--from", "none.txt", code=2).stderr
    assert "braces" in terminal.athena("imagine", "a {b", code=2).stderr
    assert "--from" in terminal.athena("imagine", code=2).stderr
