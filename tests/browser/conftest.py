"""The page in a real browser, against a real server and simulator."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec import Struct
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.contract.conftest import places

SECRET = "open sesame"

expect.set_options(timeout=20_000)


class Place(Struct):
    """A running server and its simulator."""

    url: str
    simulator: str
    process: "subprocess.Popen[str]"

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)


def serve(folder: Path, *, speed: float = 60, port: int = 0, **env: str) -> Place:
    command = [sys.executable, "-m", "athena", "serve", "--simulate", "--port", str(port)]
    environment = {**os.environ, "ATHENA_LOG__LEVEL": "ERROR", "PYTHONUNBUFFERED": "1", **env}
    process = subprocess.Popen(
        [*command, "--speed", str(speed), "--data-dir", str(folder / "data")],
        cwd=folder, env=environment, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    return Place(*places(process), process)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    running = serve(tmp_path_factory.mktemp("page"))
    yield running
    running.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Callable[[str], Browser]]:
    """For one module: its driver runs an event loop, which other modules must not see."""
    opened: list[Browser] = []
    with sync_playwright() as playwright:

        def open_browser(program: str) -> Browser:
            if not opened:
                opened.append(
                    playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
                )
            return opened[0]

        yield open_browser
        for each in opened:
            each.close()


Open = Callable[..., Page]


@pytest.fixture
def page(browser: Callable[[str], Browser], need: Callable[[str], str]) -> Iterator[Open]:
    """Opens separate pages; any browser error fails the test."""
    program = need("chromium")
    contexts = []
    complaints: list[str] = []

    def open_page(url: str, *, wide: int = 1280, high: int = 860, **options: object) -> Page:
        context = browser(program).new_context(
            viewport={"width": wide, "height": high},
            locale="en-US",
            **options,  # type: ignore[arg-type]
        )
        contexts.append(context)
        opened = context.new_page()
        opened.set_default_timeout(30_000)
        opened.on("pageerror", lambda error: complaints.append(str(error)))
        opened.on(
            "console",
            lambda said: (
                complaints.append(said.text)
                if said.type == "error" and "Content Security" in said.text
                else None
            ),
        )
        opened.goto(url)
        return opened

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


def imagine(page: Page, prompt: str) -> None:
    page.fill(".prompt", prompt)
    page.keyboard.press("Control+Enter")
