"""A real server that is killed resumes everything."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(300)
def test_five_kills() -> None:
    command = [sys.executable, "-m", "chaos.kill", "--seed", "1", "--tasks", "60", "--kills", "5"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "lost 0 mixed 0 twice 0 leaked 0 undelivered 0 backwards 0" in done.stdout
