"""User actions on the web page."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page, expect

import requests
from tests.browser.conftest import SECRET, Open, Place, imagine, serve
from tests.terminal.conftest import draw


def button(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).first.click()


def test_from_a_prompt_to_a_region_drawn_anew(page: Open, place: Place) -> None:
    shown = page(place.url)
    imagine(shown, "a red fox --ar 3:2")
    card = shown.locator(".card", has_text="a red fox")
    expect(card.locator(".bar")).to_be_attached()
    expect(card).to_have_class(re.compile("success"))
    card.first.click()
    viewer = shown.locator(".viewer")
    expect(viewer.locator("img.whole")).to_be_visible()
    shown.keyboard.press("2")
    expect(viewer.locator("img.whole")).to_have_attribute("src", re.compile(r"/2$"))
    button(shown, "U2")
    shown.locator(".strip .child").wait_for()
    shown.locator(".strip .child").click()
    button(shown, "Vary (Region)")
    box = shown.locator(".mask").bounding_box()
    assert box
    shown.mouse.move(box["x"] + 60, box["y"] + 60)
    shown.mouse.down()
    shown.mouse.move(box["x"] + 160, box["y"] + 120, steps=4)
    shown.mouse.up()
    for tool in ("Lasso", "Rectangle"):
        shown.get_by_role("radio", name=tool).click()
        shown.mouse.move(box["x"] + 200, box["y"] + 80)
        shown.mouse.down()
        shown.mouse.move(box["x"] + 260, box["y"] + 160, steps=4)
        shown.mouse.up()
    button(shown, "Undo")
    shown.locator("dialog.dialog textarea").fill("a straw hat")
    button(shown, "Send")
    expect(shown.locator("dialog.dialog")).to_have_count(
        0
    )  # it closes when the request is accepted
    newest = requests.get(f"{place.url}/mj/task/list?size=1", timeout=30).json()[0]
    assert newest["action"] == "VARIATION"
    assert newest["prompt"] == "a straw hat"
    shown.locator(".strip .child img").wait_for()


def test_controls_write_into_the_prompt_and_read_from_it(page: Open, place: Place) -> None:
    shown = page(place.url)
    prompt = shown.locator(".prompt")
    prompt.fill("a cat --ar 2:3 --v 7 --no dogs, birds --stylize 250")
    expect(shown.get_by_role("radio", name="2:3")).to_have_attribute("aria-checked", "true")
    shown.get_by_role("radio", name="16:9").click()
    expect(prompt).to_have_value("a cat --v 7 --no dogs, birds --stylize 250 --ar 16:9")
    shown.get_by_role("checkbox", name="Raw").check()
    shown.get_by_label("Model").select_option("niji 7")
    expect(prompt).to_have_value(
        "a cat --v 7 --no dogs, birds --stylize 250 --ar 16:9 --raw --niji 7".replace("--v 7 ", "")
    )
    shown.get_by_role("radio", name="1:1").click()
    shown.get_by_role("checkbox", name="Raw").uncheck()
    expect(prompt).to_have_value("a cat --no dogs, birds --stylize 250 --niji 7")


def test_what_is_wrong_is_said_at_the_field(page: Open, place: Place) -> None:
    shown = page(place.url)
    for prompt, said in (("a nude figure", "banned"), ("a cat --ar 0:1", "--ar")):
        imagine(shown, prompt)
        expect(shown.locator(".create .fault")).to_contain_text(said)
        expect(shown.locator(".prompt")).to_have_attribute("aria-invalid", "true")
    shown.locator(".prompt").fill("a cat")
    expect(shown.locator(".create .fault")).to_be_hidden()


def test_describe_by_drop(page: Open, place: Place, tmp_path: Path) -> None:
    data = list(draw(tmp_path / "cat.png", "teal").read_bytes())
    shown = page(place.url)
    shown.get_by_role("tab", name="Describe").click()
    shown.locator(".create form").evaluate(
        """(form, bytes) => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([new Uint8Array(bytes)], "cat.png", {type: "image/png"}));
            form.dispatchEvent(new DragEvent("drop", {dataTransfer: transfer, bubbles: true}));
        }""",
        data,
    )
    shown.locator(".thumb img").wait_for()
    button(shown, "Make it")
    shown.locator(".card.success", has_text="/describe").first.click()
    expect(shown.locator(".viewer pre")).to_contain_text("1️⃣")


def test_an_image_with_a_role(page: Open, place: Place, tmp_path: Path) -> None:
    shown = page(place.url)
    shown.set_input_files(".create input[type=file]", draw(tmp_path / "style.png", "red"))
    shown.get_by_label("Used for").select_option("style")
    imagine(shown, "a cat in that style")
    shown.locator(".card", has_text="in that style").first.wait_for()
    (task,) = requests.get(f"{place.url}/mj/task/search?text=in+that+style", timeout=30).json()[
        "tasks"
    ]
    assert "--sref http" in task["prompt"]


def test_the_place_in_the_queue_counts_what_is_not_shown(page: Open, tmp_path: Path) -> None:
    place = serve(tmp_path, speed=0.1)
    try:
        url = f"{place.url}/mj"
        asked = [
            requests.post(
                f"{url}/submit/imagine", json={"prompt": f"cat number {n}"}, timeout=30
            ).json()
            for n in range(7)
        ]
        waiting = [answer["result"] for answer in asked if answer["code"] == 22]
        assert len(waiting) > 2
        shown = page(place.url)
        shown.get_by_label("Search").fill("number 6")
        expect(shown.locator(".card")).to_have_count(1)
        for before in range(len(waiting) - 1, 0, -1):
            expect(shown.locator(".card .badge")).to_have_text(f"waiting, {before} before it")
            requests.post(f"{url}/task/{waiting[before - 1]}/cancel", timeout=30)
        expect(shown.locator(".card .badge")).to_have_text("waiting")
    finally:
        place.stop()


def test_two_tabs_in_step_and_filters(page: Open, place: Place) -> None:
    one, two = page(place.url), page(place.url)
    imagine(one, "seen in both tabs")
    for tab in (one, two):
        expect(tab.locator(".card", has_text="seen in both tabs")).to_have_class(
            re.compile("success")
        )
    one.get_by_label("Search").fill("both tabs")
    expect(one.locator(".card")).to_have_count(1)
    one.get_by_label("State").select_option("FAILURE")
    expect(one.get_by_text("Nothing fits")).to_be_visible()
    button(one, "Clear")
    two.locator(".card", has_text="seen in both tabs").first.click()
    button(two, "Remove from the list")
    expect(two.locator(".card", has_text="seen in both tabs")).to_have_count(0)


def test_custom_zoom_and_remix_windows(page: Open, place: Place) -> None:
    shown = page(place.url)
    imagine(shown, "a boat --ar 3:2")
    shown.locator(".card.success", has_text="a boat").first.click()
    button(shown, "U1")
    shown.locator(".strip .child").click()
    button(shown, "Custom Zoom")
    shown.locator("dialog.dialog input[type=range]").fill("1.5")
    expect(shown.locator("dialog.dialog textarea")).to_have_value(re.compile(r"--zoom 1\.5"))
    button(shown, "Send")
    expect(shown.locator("dialog.dialog")).to_have_count(0)
    shown.locator(".strip .child").first.wait_for()
    newest = requests.get(f"{place.url}/mj/task/list?size=1", timeout=30).json()[0]
    assert newest["action"] == "ZOOM"


def test_a_broken_line_shows_and_heals(page: Open, tmp_path: Path) -> None:
    first = serve(tmp_path)
    port = int(first.url.rpartition(":")[2])
    shown = page(first.url)
    imagine(shown, "before the break")
    shown.locator(".card.success").first.wait_for()
    first.stop()
    expect(shown.locator(".broken")).to_be_visible()
    second = serve(tmp_path, port=port)
    try:
        expect(shown.locator(".broken")).to_be_hidden()
        imagine(shown, "after the break")
        expect(shown.locator(".card", has_text="after the break")).to_have_class(
            re.compile("success")
        )
    finally:
        second.stop()


def test_an_administrator_runs_the_place(page: Open, place: Place) -> None:
    shown = page(f"{place.url}/#run/accounts")
    button(shown, "Add")
    form = shown.locator("dialog.dialog")
    form.get_by_label("Server ID").fill("1100000000000000001")
    form.get_by_label("Channel ID").fill("1100000000000000202")
    form.get_by_label("Discord token").fill("demo-user-token-2")
    form.get_by_label("Remark").fill("the second")
    button(shown, "Save")
    added = shown.locator(".account", has_text="the second")
    expect(added).to_contain_text("online")
    added.get_by_role("button", name="Disable").click()
    expect(added).to_contain_text("stopped")
    shown.goto(f"{place.url}/#run/tokens")
    shown.locator("main").get_by_role("button", name="Make a token").click()
    shown.locator("dialog.dialog").get_by_label("Name").fill("a shop")
    shown.locator("dialog.dialog").get_by_role("button", name="Make a token").click()
    expect(shown.get_by_text("Shown this once")).to_be_visible()
    shown.keyboard.press("Escape")
    expect(shown.locator("td", has_text="a shop")).to_be_visible()
    shown.goto(f"{place.url}/#run/settings")
    shown.get_by_label("Words to refuse").fill("kumquat\n")
    button(shown, "Save")
    shown.goto(f"{place.url}/#")
    imagine(shown, "a kumquat")
    expect(shown.locator(".create .fault")).to_contain_text("banned")


def test_signing_in_and_what_users_see(page: Open, tmp_path: Path) -> None:
    running = serve(tmp_path, ATHENA_SERVER__SECRET=SECRET)
    try:
        shown = page(running.url)
        shown.get_by_label("Token").fill("wrong")
        button(shown, "Sign in")
        expect(shown.locator(".fault")).to_contain_text("opens nothing")
        shown.get_by_label("Token").fill(SECRET)
        button(shown, "Sign in")
        imagine(shown, "behind a door")
        image = shown.locator(".card.success img")
        image.wait_for()
        assert image.evaluate("(it) => it.decode().then(() => it.naturalWidth)") > 0
        kept = shown.evaluate("document.cookie + JSON.stringify(localStorage)")
        assert SECRET not in kept
        (cookie,) = shown.context.cookies()
        assert cookie["httpOnly"]
        assert cookie["sameSite"] == "Strict"
        assert SECRET not in cookie["value"]
        assert _from_elsewhere(running, cookie["value"]) == 401
        made = subprocess.run(
            [sys.executable, "-m", "athena", "token", "create", "--name", "u", "--json",
             "--data-dir", str(tmp_path / "data")], capture_output=True, text=True, check=True,
        )  # fmt: skip
        user = page(running.url)
        user.get_by_label("Token").fill(json.loads(made.stdout)["token"])
        button(user, "Sign in")
        user.locator(".prompt").wait_for()
        assert user.get_by_role("link", name="Run the place").count() == 0
        made = subprocess.run(
            [sys.executable, "-m", "athena", "token", "create", "--name", "r", "--json",
             "--role", "reader", "--data-dir", str(tmp_path / "data")],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        reader = page(running.url)
        reader.get_by_label("Token").fill(json.loads(made.stdout)["token"])
        button(reader, "Sign in")
        reader.locator(".card.success").click()
        reader.locator(".viewer img.whole").wait_for()
        assert reader.locator(".prompt").count() == 0
        assert reader.locator(".viewer .groups").count() == 0
        button(shown, "Sign out")
        shown.get_by_label("Token").wait_for()
    finally:
        running.stop()


def _from_elsewhere(running: Place, cookie: str) -> int:
    """Another site's form sends the cookie, but not the page's header."""
    body = {"prompt": "not mine"}
    return requests.post(
        f"{running.url}/mj/submit/imagine", json=body, cookies={"athena": cookie}, timeout=30
    ).status_code


@pytest.mark.parametrize(("scheme", "wide"), [("light", 1280), ("dark", 1280), ("dark", 390)])
def test_axe_finds_nothing_serious(page: Open, place: Place, scheme: str, wide: int) -> None:
    shown = page(place.url, wide=wide, color_scheme=scheme)
    imagine(shown, "an image for everybody")
    shown.locator(".card.success").first.wait_for()
    _look(shown, "gallery")
    shown.locator(".card.success").first.click()
    shown.locator(".viewer .groups").wait_for()
    _look(shown, "viewer")
    for tab in ("figures", "accounts", "tokens", "tasks", "hooks", "settings"):
        shown.goto(f"{place.url}/#run/{tab}")
        expect(shown.locator(".run .body")).not_to_have_text("Loading…")
        _look(shown, tab)


def _look(shown: Page, view: str) -> None:
    found = Axe().run(shown).response["violations"]
    serious = [
        (each["id"], [node["html"] for node in each["nodes"]][:3])
        for each in found
        if each["impact"] in ("serious", "critical")
    ]
    assert serious == [], view


@pytest.mark.parametrize("wide", [360, 390, 768, 1920])
def test_every_width(page: Open, place: Place, wide: int) -> None:
    shown = page(place.url, wide=wide, high=800)
    imagine(shown, f"an image {wide} wide, {'verylongword' * 12}")
    shown.locator(".card.success").first.click()
    tabs = ("figures", "accounts", "tokens", "tasks", "hooks", "settings")
    for route in ("", *(f"run/{tab}" for tab in tabs)):
        shown.goto(f"{place.url}/#{route}")
        expect(shown.locator("main")).not_to_contain_text("Loading…")
        assert shown.evaluate("document.documentElement.scrollWidth <= innerWidth"), route


def test_keys_alone(page: Open, place: Place) -> None:
    shown = page(place.url)
    shown.locator("body").press("n")
    shown.keyboard.type("made by keys")
    shown.keyboard.press("Control+Enter")
    card = shown.locator(".card.success", has_text="made by keys").first
    card.wait_for()
    shown.locator("h1 a").focus()
    shown.keyboard.press("/")
    assert shown.evaluate("document.activeElement.type") == "search"
    card.focus()
    shown.keyboard.press("ArrowRight")
    shown.keyboard.press("ArrowLeft")
    shown.keyboard.press("Enter")
    expect(shown.locator(".viewer")).to_be_visible()
    shown.keyboard.press("Escape")
    expect(shown.locator(".viewer")).to_be_hidden()


def test_in_chinese(page: Open, place: Place) -> None:
    shown = page(place.url)
    button(shown, "中文")
    expect(shown.get_by_role("link", name="图库")).to_be_visible()
    imagine(shown, "a cat --ar 0:1")
    expect(shown.locator(".create .fault")).to_contain_text("参数错误")


def test_the_first_step_is_taught(page: Open, tmp_path: Path) -> None:
    running = serve(tmp_path)
    try:
        shown = page(running.url)
        expect(shown.get_by_text("Your first picture")).to_be_visible()
        shown.locator(".welcome button").click()
        assert shown.evaluate("document.activeElement.className") == "prompt"
    finally:
        running.stop()
