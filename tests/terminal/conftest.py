"""A server for the terminal's tests, and the command line in separate processes."""

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import Struct
from PIL import Image, ImageDraw

import requests
from tests.contract.conftest import Server, places


class Terminal(Struct):
    """A folder, a server, and the `athena` command."""

    server: Server
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "ATHENA_SERVER_URL": self.server.url,
            "ATHENA_PROFILE": str(self.folder / "profile.toml"),
            "XDG_CONFIG_HOME": str(self.folder / "xdg"),
            "HOME": str(self.folder),
            "COLUMNS": "120",
            "NO_COLOR": "1",
            "BROWSER": "true",
        }

    def athena(
        self, *args: str, typed: str | None = None, code: int | None = 0, **env: str
    ) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run(
            [sys.executable, "-m", "athena", *args], cwd=self.folder, input=typed, text=True,
            env={**self.environment, **env}, capture_output=True, timeout=100, check=False,
        )  # fmt: skip
        assert code is None or done.returncode == code, (args, done.stdout, done.stderr)
        return done

    def jobs(self) -> list[dict[str, str]]:
        """The jobs of the simulator's Midjourney bot."""
        state = requests.get(f"{self.server.simulator}/_control/state", timeout=30).json()
        return list(state["bots"]["936929561302675456"]["jobs"])


def serving(folder: Path, *, speed: float) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "athena", "serve", "--simulate", "--port", "0"]
    environment = {
        **os.environ, "ATHENA_LOG__LEVEL": "ERROR", "PYTHONUNBUFFERED": "1",
        "ATHENA_ACCOUNTS": "[]",
    }  # fmt: skip
    return subprocess.Popen(
        [*command, "--speed", str(speed), "--data-dir", str(folder / "data")],
        cwd=folder, env=environment, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


@pytest.fixture(scope="module")
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server with the speed that the module's SPEED gives."""
    folder = tmp_path_factory.mktemp("server")
    process = serving(folder, speed=getattr(request.module, "SPEED", 100))
    try:
        yield Server(*places(process), folder)
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture
def terminal(server: Server, tmp_path: Path) -> Terminal:
    return Terminal(server, tmp_path)


def draw(path: Path, colour: str, size: tuple[int, int] = (96, 64)) -> Path:
    Image.new("RGB", size, colour).save(path)
    return path


def draw_mask(path: Path, size: tuple[int, int]) -> Path:
    image = Image.new("L", size)
    ImageDraw.Draw(image).rectangle((size[0] // 4, size[1] // 4, size[0] // 2, size[1] // 2), 255)
    out = io.BytesIO()
    image.save(out, "PNG")
    path.write_bytes(out.getvalue())
    return path
