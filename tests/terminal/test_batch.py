"""A batch that is killed in the middle and begun again makes every image once."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.terminal.conftest import Desk

SPEED = 40


def test_forty_images_and_a_kill(desk: Desk) -> None:
    prompts = [f"image number {n}" for n in range(37)]
    lines = ["# what the shop needs", *prompts, "", "{red, blue} car", "a boat"]
    (desk.folder / "prompts.txt").write_text("\n".join(lines))
    wish = ["imagine", "--from", "prompts.txt", "--repeat", "1", "--out", "out", "--yes"]
    first = subprocess.Popen(
        [sys.executable, "-m", "athena", *wish], cwd=desk.folder, env=desk.environment,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert first.stdout
    for _ in range(5 * 9):  # nine images are on the disk
        assert first.stdout.readline()
    os.kill(first.pid, signal.SIGKILL)
    first.wait()

    again = desk.athena(*wish)
    assert "40 images" in again.stderr
    assert len(desk.jobs()) == 40
    assert len({job["prompt"] for job in desk.jobs()}) == 40
    grids = list((desk.folder / "out").glob("*_grid.png"))
    assert len({path.name.split("_")[2] for path in grids}) == 40

    nothing = desk.athena(*wish)
    assert "40 images, 0 to be made" in nothing.stderr
    assert len(desk.jobs()) == 40


def test_a_line_that_was_cut_off_is_no_harm(desk: Desk) -> None:
    (desk.folder / "few.txt").write_text("one\ntwo\n")
    made = len(desk.jobs())
    wish = ["imagine", "--from", "few.txt", "--out", "out"]
    desk.athena(*wish)
    journal = desk.folder / "out" / ".few.txt.athena"
    whole = journal.read_text()
    journal.write_text(whole[: len(whole) - 25])
    desk.athena(*wish)
    assert len(desk.jobs()) == made + 2


def test_many_are_asked_about_first(desk: Desk) -> None:
    refused = desk.athena("imagine", "{a, b, c, d} and {x, y, z}", typed="n\n", code=1)
    assert "12 images" in refused.stderr
    assert not Path(desk.folder / "images").exists()


def test_what_is_no_file_of_prompts_is_said(desk: Desk) -> None:
    (desk.folder / "empty.txt").write_text("# nothing\n")
    assert "no prompt" in desk.athena("imagine", "--from", "empty.txt", code=2).stderr
    assert "cannot be read" in desk.athena("imagine", "--from", "none.txt", code=2).stderr
    assert "braces" in desk.athena("imagine", "a {b", code=2).stderr
    assert "--from" in desk.athena("imagine", code=2).stderr
