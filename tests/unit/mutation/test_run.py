"""A small project, mutated as a user would do it."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]

SOURCE = """
LIMIT = 10


def clamp(value: int) -> int:
    return LIMIT if value > LIMIT else value


async def itself(value: int) -> int:
    return value


def untested(value: int) -> int:
    return value + 1
"""
TESTS = """
from small.code import clamp, itself


def test_clamp() -> None:
    assert [clamp(value) for value in (9, 10, 11)] == [9, 10, 10]


async def test_itself() -> None:
    assert await itself(3) == 3
"""
CONFIG = """
source = "."

[[target]]
module = "small.code"
tests = ["test_small.py"]

[[accepted]]
module = "small.code"
name = "clamp: value > LIMIT -> (value >= LIMIT)"
reason = "the same"
"""


def run(folder: Path, *options: str, tests: str = TESTS) -> "subprocess.CompletedProcess[str]":
    (folder / "small").mkdir(exist_ok=True)
    (folder / "small/__init__.py").touch()
    (folder / "small/code.py").write_text(SOURCE, encoding="utf-8")
    (folder / "test_small.py").write_text(tests, encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\nasyncio_mode = auto\n", encoding="utf-8")
    (folder / "targets.toml").write_text(CONFIG, encoding="utf-8")
    return subprocess.run(
        [sys.executable, "-m", "mutation", "--config", "targets.toml", *options],
        cwd=folder,
        env=dict(os.environ, PYTHONPATH=f"{ROOT}{os.pathsep}{folder}"),
        capture_output=True,
        text=True,
        check=False,
    )


def test_survivors_are_told_and_all_others_caught(tmp_path: Path) -> None:
    done = run(tmp_path)
    names = [line.strip() for line in done.stdout.splitlines() if "name = " in line]
    assert names == [
        f"name = {name!r}"
        for name in (
            "untested: return value + 1 -> return None",
            "untested: value + 1 -> (value - 1)",
            "untested: 1 -> (2)",
            "untested: 1 -> (0)",
        )
    ], done.stdout + done.stderr
    assert "unreached" in done.stdout
    assert done.returncode == 1


def test_tests_that_fail_anyway_are_of_no_use(tmp_path: Path) -> None:
    done = run(tmp_path, tests=f"{TESTS}\n\ndef test_wrong() -> None:\n    assert False\n")
    assert "test_small.py::test_wrong" in done.stderr
    assert done.returncode == 2
