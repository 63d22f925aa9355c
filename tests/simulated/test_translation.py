"""Translation of prompts, with local servers as services."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from pydantic import SecretStr

from athena.settings import TranslationSettings
from tests.simulated.asking import DONE, press, submit
from tests.simulated.conftest import Build, System

WORDS = {"一只猫": "a cat", "狗, 鸟": "dogs, birds", "风车": "a windmill"}


class Service:
    """A translation service with all three APIs; `fault` makes it fail."""

    def __init__(self) -> None:
        self.fault = ""
        self.asked: list[str] = []
        self.url = ""

    def say(self, text: str, into: str) -> str:
        self.asked.append(text)
        return WORDS.get(text, text) if into.lower().startswith("en") else f"译文 {text}"

    async def broken(self) -> web.Response | None:
        if self.fault == "slow":
            await asyncio.Event().wait()
        if self.fault == "500":
            return web.Response(status=500)
        return web.json_response({"odd": 1}) if self.fault == "odd" else None

    async def openai(self, request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == "Bearer key"
        if fault := await self.broken():
            return fault
        order, said = (each["content"] for each in (await request.json())["messages"])
        translated = self.say(said, "en" if "English" in order else "zh")
        return web.json_response({"choices": [{"message": {"content": f" {translated}\n"}}]})

    async def baidu(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        signed = f"app{form['q']}{form['salt']}key".encode()
        assert form["sign"] == hashlib.md5(signed).hexdigest()
        if fault := await self.broken():
            return fault
        lines = self.say(form["q"], form["to"]).split("\n")
        return web.json_response({"trans_result": [{"dst": line} for line in lines if line]})

    async def deepl(self, request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == "DeepL-Auth-Key key"
        if fault := await self.broken():
            return fault
        asked = await request.json()
        translated = self.say(asked["text"][0], asked["target_lang"])
        return web.json_response({"translations": [{"text": translated}]})


@asynccontextmanager
async def serving() -> AsyncIterator[Service]:
    service = Service()
    app = web.Application()
    app.router.add_post("/v1/chat/completions", service.openai)
    app.router.add_post("/baidu", service.baidu)
    app.router.add_post("/deepl", service.deepl)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    service.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield service
    await runner.cleanup()


PATHS: dict[str, str] = {"openai": "/v1", "baidu": "/baidu", "deepl": "/deepl"}


async def built(build: Build, service: Service, provider: Any, timeout: float = 5) -> System:
    settings = TranslationSettings(
        provider=provider, url=service.url + PATHS[provider], key=SecretStr("key"), app_id="app",
        timeout=timeout,
    )  # fmt: skip
    return await build(translation=settings)


@pytest.mark.parametrize("provider", PATHS)
async def test_words_are_translated_and_nothing_else(build: Build, provider: str) -> None:
    async with serving() as service:
        system = await built(build, service, provider)
        prompt = "https://x.com/a.png 一只猫 --ar 3:2 --no 狗, 鸟"
        task = await submit(system, "submit/imagine", prompt=prompt)
        assert task["prompt"] == prompt
        assert task["promptEn"] == "https://x.com/a.png a cat --ar 3:2 --no dogs, birds"
        assert "a cat --ar 3:2 --no dogs, birds" in task["properties"]["finalPrompt"]
        plain = await submit(system, "submit/imagine", prompt="a dog")
        assert plain["promptEn"] == "a dog"
        assert service.asked == ["一只猫", "狗, 鸟"]
        words = await submit(system, "submit/shorten", prompt="a very cute cat on a sofa")
        assert words["properties"]["finalZhPrompt"].startswith("译文 ## Important tokens")
        zoomed = await press(system, words, words["buttons"][0]["customId"], prompt="风车")
        assert zoomed["properties"]["finalPrompt"].startswith("a windmill")


@pytest.mark.parametrize("fault", ["slow", "500", "odd"])
async def test_a_service_that_fails_costs_a_note(build: Build, fault: str) -> None:
    async with serving() as service:
        service.fault = fault
        system = await built(build, service, "deepl", timeout=0.2)
        task = await submit(system, "submit/imagine", prompt="一只猫")
        assert task["status"] == DONE
        assert "not translated" in task["properties"]["note"]
        assert task["properties"]["finalPrompt"] == "一只猫 --v 7.0"
        words = await submit(system, "submit/shorten", prompt="a very cute cat on a sofa")
        assert words["properties"]["finalZhPrompt"] is None


async def test_off_by_default(system: System) -> None:
    task = await submit(system, "submit/imagine", prompt="一只猫")
    assert task["promptEn"] == "一只猫"
    assert task["properties"]["note"] is None
