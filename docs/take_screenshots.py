"""Takes the screenshots in docs/screenshots from a running server.

Run it with `python docs/take_screenshots.py`. It needs Chromium and the development requirements,
and starts its own server with the simulator.
"""

import asyncio
import shutil
from contextlib import suppress
from pathlib import Path

from playwright.async_api import Page, async_playwright

from athena import Athena, TaskFailed
from athena.client import local
from athena.settings import Settings, WebhookSettings

FOLDER = Path(__file__).parent / "screenshots"
PROMPTS = (
    "a red fox in the snow --ar 3:2", "a lighthouse at night --ar 2:3", "a green valley --ar 16:9",
    "two cats on a roof --ar 4:5", "a castle above the clouds --ar 1:1", "a boat at dawn --ar 3:1",
    "a forest in autumn --ar 3:2", "a blue whale --ar 5:4", "a desert moon --ar 9:16",
)  # fmt: skip
TABS = {
    "figures": "svg", "accounts": ".account", "tokens": "table", "tasks": "tbody tr",
    "hooks": "tbody tr", "settings": "textarea",
}  # fmt: skip
"""The administration pages, and a text that each shows when it is loaded."""
SIZES = {"desktop": (1360, 900), "phone": (390, 844)}


async def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    program = shutil.which("chromium") or shutil.which("google-chrome")
    folder = FOLDER / "data"
    webhooks = WebhookSettings(allow_loopback=True)
    settings = Settings().model_copy(update={"data_dir": folder, "webhooks": webhooks})
    try:
        async with (
            local.running_simulator(settings, speed=60) as (led, urls),
            local.served(led) as (url, secret),
            Athena.connect(url, secret) as mj,
        ):
            single = await fill(mj, f"{urls.cdn}/_hooks/me".replace("127.0.0.1", "localhost"))
            async with async_playwright() as playwright:
                browser = await playwright.chromium.launch(
                    executable_path=program, args=["--no-sandbox"]
                )
                await make_tokens(await browser.new_page(), url, secret)
                for name, (wide, high) in SIZES.items():
                    for scheme in ("light", "dark"):
                        context = await browser.new_context(
                                viewport={"width": wide, "height": high}, locale="en-US",
                                color_scheme=scheme,
                            )  # fmt: skip
                        page = await context.new_page()
                        await sign_in(page, url, secret, f"{name}-{scheme}")
                        await views(page, url, single, f"{name}-{scheme}")
                        await context.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def fill(mj: Athena, webhook: str) -> str:
    """Create content; returns the id of a single image."""
    wishes = [{"prompt": prompt, "notifyHook": webhook} for prompt in PROMPTS]
    grids = [await (await mj.ask("submit/imagine", wish)) for wish in wishes]
    single = await (await grids[0].upscale(2))
    await (await single.zoom(1.5))
    await (await single.pan("left"))
    with suppress(TaskFailed):
        await (await mj.imagine('a cat --notice "Banned prompt detected"'))
    return single.id


async def make_tokens(page: Page, url: str, secret: str) -> None:
    for name, role, limit in (("Telegram bot", "user", 200), ("Wall screen", "reader", None)):
        body = {"name": name, "role": role, "dailyLimit": limit}
        headers = {"mj-api-secret": secret}
        await page.request.post(f"{url}/mj/token/create", data=body, headers=headers)


async def sign_in(page: Page, url: str, secret: str, name: str) -> None:
    await page.goto(url)
    await page.get_by_role("button", name="Sign in").wait_for()
    await shoot(page, f"sign-in-{name}")
    await page.get_by_label("Token").fill(secret)
    await page.get_by_role("button", name="Sign in").click()
    await page.locator(".card.success").nth(6).wait_for()


async def views(page: Page, url: str, single: str, name: str) -> None:
    await shoot(page, f"gallery-{name}")
    await page.goto(f"{url}/#task/{single}")
    await page.locator(".viewer .strip img").first.wait_for()
    await shoot(page, f"image-{name}")
    await page.get_by_role("button", name="Vary (Region)").click()
    box = await page.locator(".mask").bounding_box()
    if box:
        await page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.4)
        await page.mouse.down()
        await page.mouse.move(
            box["x"] + box["width"] * 0.6, box["y"] + box["height"] * 0.5, steps=8
        )
        await page.mouse.up()
    await shoot(page, f"region-{name}")
    await page.keyboard.press("Escape")
    for tab, holds in TABS.items():
        await page.goto(f"{url}/#run/{tab}")
        await page.locator(f".run .body {holds}").first.wait_for()
        await shoot(page, f"{tab}-{name}")


async def shoot(page: Page, name: str) -> None:
    await page.evaluate(
        "Promise.all([...document.images].map((each) => each.decode().catch(() => {})))"
    )
    await page.screenshot(path=FOLDER / f"{name}.jpg", type="jpeg", quality=72)


asyncio.run(main())
