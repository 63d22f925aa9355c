"""The weight of the page: what it loads, from where, and how many tasks it handles."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import expect

from athena.store.sqlite import open_store
from athena.tasks.model import Action, Button, CorrelationIds, Image, Status, Task
from athena.tasks.requests import Imagine
from tests.browser.conftest import Open, Place, serve
from tests.browser.proxy import proxied

_MOST_BYTES = 150_000
_TASKS = 5_000


def old(number: int) -> Task:
    return Task(
        id=f"{1_700_000_000_000 + number}123", account="1100000000000000201",
        request=Imagine(prompt=f"old image {number}"), action=Action.IMAGINE,
        status=Status.SUCCESS, prompt=f"old image {number} --ar {2 + number % 3}:2",
        description=f"/imagine old image {number}", submitted_at=1_700_000_000_000 + number,
        finished_at=1_700_000_030_000 + number, progress=100,
        ids=CorrelationIds(job="x", message="1"),
        image=Image(url="http://127.0.0.1:9/x.png", width=64 * (2 + number % 3), height=128),
        buttons=(Button(custom_id="MJ::JOB::reroll::0::x::SOLO"),),
    )  # fmt: skip


async def _fill(folder: Path) -> None:
    store = await open_store(folder / "data")
    await asyncio.gather(*(store.add(old(number)) for number in range(_TASKS)))
    await store.close()


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("full")
    # The browser's driver has its own event loop in this thread.
    filling = Thread(target=lambda: asyncio.run(_fill(folder)))
    filling.start()
    filling.join()
    running = serve(folder)
    yield running
    running.stop()


def test_the_first_load_is_light_and_our_own(page: Open, place: Place) -> None:
    shown = page("about:blank")
    sizes: list[int] = []
    hosts: set[str] = set()

    def seen(answer: object) -> None:
        url = answer.url  # type: ignore[attr-defined]
        if url.startswith("data:"):
            return
        hosts.add(url.split("/")[2])
        if "/mj/" not in url:
            sizes.append(len(answer.body()))  # type: ignore[attr-defined]

    shown.on("response", seen)
    shown.goto(place.url, wait_until="load")
    shown.locator(".prompt").wait_for()
    assert sum(sizes) < _MOST_BYTES
    assert hosts == {place.url.split("/")[2]}


def test_five_thousand_tasks(page: Open, full: Place) -> None:
    shown = page(full.url)
    shown.locator(".card").first.wait_for()
    for _ in range(60):
        shown.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
        shown.evaluate(
            "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
        )
        assert shown.locator(".card").count() < 150
    shown.wait_for_function("document.querySelector('.wall').offsetHeight > 150000")
    shown.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    expect(shown.locator(".card", has_text="old image 0 ")).to_be_attached()
    shown.get_by_label("Search").fill("old image 4242")
    expect(shown.locator(".card")).to_have_count(1)


def test_behind_a_path_prefix(page: Open, place: Place) -> None:
    with proxied(place.url) as url:
        shown = page(url)
        shown.fill(".prompt", "behind a prefix")
        shown.keyboard.press("Control+Enter")
        card = shown.locator(".card.success", has_text="behind a prefix").first
        card.wait_for()
        image = card.locator("img")
        image.wait_for()
        assert image.evaluate("(it) => it.decode().then(() => it.naturalWidth)") > 0
