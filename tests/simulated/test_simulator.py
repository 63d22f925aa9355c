"""The simulator as any Discord client sees it."""

import io
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from PIL import Image

from athena.clock import TurnableClock
from athena.simulator.app import Simulator
from athena.simulator.bots.index import MIDJOURNEY
from athena.simulator.config import DEMO, BadConfig, load
from athena.simulator.stage import Draft
from tests.conftest import breathe
from tests.simulated.conftest import CHANNEL, GUILD, Json

TOKEN = DEMO.users[0].token
IMAGINE = {"id": "938956540159881230", "version": "1237876415471554623", "name": "imagine"}


class Visitor:
    """A plain Discord client."""

    def __init__(self, simulator: Simulator, http: aiohttp.ClientSession) -> None:
        self.simulator = simulator
        self.http = http

    async def call(
        self, method: str, path: str, body: object = None, token: str = TOKEN, version: int = 9
    ) -> tuple[int, Json]:
        url = self.simulator.urls.api.replace("/v9", f"/v{version}") + path
        headers = {"Authorization": token}
        async with self.http.request(method, url, json=body, headers=headers) as answer:
            self.headers = answer.headers
            text = await answer.read()
            return answer.status, await answer.json() if text else {}

    async def use_imagine(self, prompt: str = "a cat", **changes: object) -> tuple[int, Json]:
        data = {**IMAGINE, "type": 1, "options": [{"type": 3, "name": "prompt", "value": prompt}]}
        body = {
            "type": 2,
            "application_id": MIDJOURNEY,
            "guild_id": GUILD,
            "channel_id": CHANNEL,
            "session_id": "any",
            "nonce": "77",
            "data": {**data, **changes},
        }
        return await self.call("POST", "/interactions", body)


@pytest.fixture
async def visitor(clock: TurnableClock) -> AsyncIterator[Visitor]:
    async with (
        Simulator(clock=clock, speed=float("inf")) as simulator,
        aiohttp.ClientSession() as http,
    ):
        yield Visitor(simulator, http)


@pytest.mark.parametrize("version", [9, 10])
async def test_signing_in(visitor: Visitor, version: int) -> None:
    status, me = await visitor.call("GET", "/users/@me", version=version)
    assert (status, me["username"]) == (200, "demo")
    status, error = await visitor.call("GET", "/users/@me", token="wrong", version=version)
    assert (status, error) == (401, {"message": "401: Unauthorized", "code": 0})
    bot = DEMO.users[2].token
    assert (await visitor.call("GET", "/users/@me", token=bot))[0] == 401
    assert (await visitor.call("GET", "/users/@me", token=f"Bot {bot}"))[0] == 200


async def test_interactions_are_checked(visitor: Visitor) -> None:
    assert (await visitor.use_imagine())[0] == 204
    status, error = await visitor.use_imagine(version="1")
    assert (status, error["code"]) == (400, 50035)
    assert "outdated" in error["errors"]["data"]["version"]["_errors"][0]["message"]
    status, error = await visitor.use_imagine(id="1")
    assert (status, error["code"]) == (400, 50035)
    status, error = await visitor.use_imagine(options=[])
    assert (status, error["code"]) == (400, 50035)
    status, error = await visitor.call("POST", "/interactions", {"type": 2})
    assert (status, error["code"]) == (400, 50035)


async def test_presses_are_checked(visitor: Visitor) -> None:
    said = visitor.simulator.world.post(MIDJOURNEY, CHANNEL, Draft(content="no buttons"))
    press = {
        "type": 3,
        "application_id": MIDJOURNEY,
        "guild_id": GUILD,
        "channel_id": CHANNEL,
        "message_id": said["id"],
        "session_id": "any",
        "data": {"component_type": 2, "custom_id": "MJ::JOB::upsample::1::x"},
    }
    assert (await visitor.call("POST", "/interactions", press))[1]["code"] == 50035
    assert (await visitor.call("POST", "/interactions", {**press, "message_id": "1"}))[0] == 404
    assert (await visitor.call("POST", "/interactions", {**press, "channel_id": "1"}))[0] == 404


async def test_the_command_index(visitor: Visitor) -> None:
    for place in (f"/guilds/{GUILD}", f"/channels/{CHANNEL}"):
        status, index = await visitor.call("GET", f"{place}/application-command-index")
        assert status == 200
        imagine = next(c for c in index["application_commands"] if c["name"] == "imagine")
        assert (imagine["id"], imagine["version"]) == (IMAGINE["id"], IMAGINE["version"])
    assert (await visitor.call("GET", "/guilds/1/application-command-index"))[0] == 403


def png() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (30, 20), "teal").save(out, "PNG")
    return out.getvalue()


async def upload(visitor: Visitor) -> Json:
    files = {"files": [{"id": "0", "filename": "a b.png", "file_size": len(png())}]}
    _, slots = await visitor.call("POST", f"/channels/{CHANNEL}/attachments", files)
    slot = slots["attachments"][0]
    async with visitor.http.put(slot["upload_url"], data=png()) as answer:
        assert answer.status == 200
    body = {
        "content": "look",
        "attachments": [
            {"id": "0", "filename": "a b.png", "uploaded_filename": slot["upload_filename"]}
        ],
    }
    status, message = await visitor.call("POST", f"/channels/{CHANNEL}/messages", body)
    assert status == 200
    return dict(message["attachments"][0])


async def test_uploads_links_and_their_end(visitor: Visitor, clock: TurnableClock) -> None:
    attachment = await upload(visitor)
    assert (attachment["width"], attachment["height"]) == (30, 20)

    async def get(url: str) -> int:
        async with visitor.http.get(url) as answer:
            data = await answer.read()
            assert answer.status != 200 or data == png()
            return answer.status

    url = attachment["url"]
    assert await get(url) == 200
    assert await get(url.replace("hm=", "hm=0")) == 404
    assert await get(url.split("?")[0]) == 404
    clock.turn(24 * 60 * 60 + 1)
    assert await get(url) == 404
    _, fresh = await visitor.call("POST", "/attachments/refresh-urls", {"attachment_urls": [url]})
    assert await get(fresh["refreshed_urls"][0]["refreshed"]) == 200
    async with visitor.http.get(
        fresh["refreshed_urls"][0]["refreshed"].replace("/attachments", "/media/attachments")
        + "width=15&format=webp"
    ) as answer:
        scaled = Image.open(io.BytesIO(await answer.read()))
    assert (scaled.size, scaled.format) == ((15, 10), "WEBP")


async def test_history_pages_like_discord_s(visitor: Visitor) -> None:
    said = [
        visitor.simulator.world.post(MIDJOURNEY, CHANNEL, Draft(content=str(n))) for n in range(9)
    ]
    ids = [message["id"] for message in said]

    async def page(query: str) -> list[str]:
        _, messages = await visitor.call("GET", f"/channels/{CHANNEL}/messages?{query}")
        return [message["content"] for message in messages]  # type: ignore[index]

    assert await page("limit=3") == ["8", "7", "6"]
    assert await page(f"limit=3&before={ids[6]}") == ["5", "4", "3"]
    assert await page(f"limit=3&after={ids[1]}") == ["4", "3", "2"]
    assert await page(f"limit=3&around={ids[4]}") == ["5", "4", "3"]
    for query in ("limit=0", "limit=101", "limit=x"):
        assert (await visitor.call("GET", f"/channels/{CHANNEL}/messages?{query}"))[0] == 400


async def test_reactions_and_direct_channels(visitor: Visitor) -> None:
    said = visitor.simulator.world.post(MIDJOURNEY, CHANNEL, Draft(content="x"))
    path = f"/channels/{CHANNEL}/messages/{said['id']}/reactions/%E2%9C%89%EF%B8%8F/@me"
    assert (await visitor.call("PUT", path))[0] == 204
    _, channel = await visitor.call("POST", "/users/@me/channels", {"recipients": [MIDJOURNEY]})
    assert channel["type"] == 1
    other = DEMO.users[1].token
    assert (await visitor.call("GET", f"/channels/{channel['id']}/messages", token=other))[0] == 403
    assert (await visitor.call("GET", "/channels/1/messages"))[1]["code"] == 10003


async def test_too_many_calls_are_limited(visitor: Visitor, clock: TurnableClock) -> None:
    path, body = f"/channels/{CHANNEL}/messages", {"content": "x"}
    for left in (4, 3, 2, 1, 0):
        assert (await visitor.call("POST", path, body))[0] == 200
        assert visitor.headers["X-RateLimit-Remaining"] == str(left)
    status, error = await visitor.call("POST", path, body)
    assert (status, error["global"], error["retry_after"]) == (429, False, 5.0)
    clock.turn(5)
    assert (await visitor.call("POST", path, body))[0] == 200


async def test_faults_on_request(visitor: Visitor) -> None:
    control = f"{visitor.simulator.urls.cdn}/_control"
    fault = {"route": "GET /users/@me", "status": 500, "times": 2}
    async with visitor.http.post(f"{control}/fail", json=fault) as answer:
        assert answer.status == 200
    statuses = [(await visitor.call("GET", "/users/@me"))[0] for _ in range(3)]
    assert statuses == [500, 500, 200]
    async with visitor.http.post(f"{control}/fail", json={"nonsense": 1}) as answer:
        assert answer.status == 400


async def connect(visitor: Visitor, token: str) -> aiohttp.ClientWebSocketResponse:
    socket = await visitor.http.ws_connect(visitor.simulator.urls.gateway + "/?v=9&encoding=json")
    await socket.send_json({"op": 1, "d": 5})
    assert (await socket.receive_json())["op"] == 10
    assert (await socket.receive_json())["op"] == 11
    await socket.send_json({"op": 37, "d": {"unknown": True}})
    await socket.send_json({"op": 2, "d": {"token": token, "intents": 1 << 9 | 1 << 15}})
    assert (await socket.receive_json())["t"] == "READY"
    assert (await socket.receive_json())["t"] in ("READY_SUPPLEMENTAL", "GUILD_CREATE")
    return socket


async def test_nonces_and_ephemerals_are_their_owner_s_alone(visitor: Visitor) -> None:
    owner = await connect(visitor, TOKEN)
    bot = await connect(visitor, DEMO.users[2].token)
    assert (await visitor.use_imagine("a nude"))[0] == 204
    assert (await owner.receive_json())["t"] == "INTERACTION_CREATE"
    notice = (await owner.receive_json())["d"]
    assert (notice["nonce"], notice["flags"]) == ("77", 64)
    assert (await owner.receive_json())["t"] == "INTERACTION_SUCCESS"
    assert (await visitor.use_imagine("a cat"))[0] == 204
    seen = (await bot.receive_json())["d"]
    assert "nonce" not in seen
    assert seen["content"].endswith("(Waiting to start)")
    _, history = await visitor.call("GET", f"/channels/{CHANNEL}/messages/{notice['id']}")
    assert history["code"] == 10008


async def test_bots_without_the_content_intent_see_none(visitor: Visitor) -> None:
    socket = await visitor.http.ws_connect(visitor.simulator.urls.gateway)
    await socket.send_json({"op": 2, "d": {"token": "demo-bot-token", "intents": 1 << 9}})
    for _ in range(3):
        await socket.receive_json()
    visitor.simulator.world.post(MIDJOURNEY, CHANNEL, Draft(content="secret"))
    assert (await socket.receive_json())["d"]["content"] == ""


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        ([{"op": 2, "d": {"token": "wrong"}}], 4004),
        ([{"op": 2, "d": {"token": TOKEN}}, {"op": 2, "d": {"token": TOKEN}}], 4005),
        (["not json"], 4002),
        ([{"op": 99}] * 121, 4008),
    ],
)
async def test_close_codes(visitor: Visitor, frames: list[object], code: int) -> None:
    socket = await visitor.http.ws_connect(visitor.simulator.urls.gateway)
    for frame in frames:
        if isinstance(frame, str):
            await socket.send_str(frame)
        else:
            await socket.send_json(frame)
    async for _ in socket:
        pass
    assert socket.close_code == code


async def test_other_servers_are_out_of_reach(tmp_path: Path) -> None:
    file = tmp_path / "simulator.toml"
    file.write_text(
        '[[guilds]]\nname="here"\n[[guilds]]\nname="there"\n'
        '[[users]]\nname="ada"\ntoken="a"\nguild="there"\n[[users]]\nname="bob"\ntoken="b"\n'
    )
    config = load(file)
    theirs = config.channel_of(config.users[0])
    async with Simulator(config) as simulator, aiohttp.ClientSession() as http:
        visitor = Visitor(simulator, http)
        for token, status in (("a", 200), ("b", 403)):
            assert (await visitor.call("GET", f"/channels/{theirs}", token=token))[0] == status


async def test_a_client_that_stops_beating_is_let_go(
    visitor: Visitor, clock: TurnableClock
) -> None:
    socket = await connect(visitor, TOKEN)
    for _ in range(10):
        clock.turn(30)
        await socket.send_json({"op": 1, "d": None})
        assert (await socket.receive_json())["op"] == 11
    await breathe()
    clock.turn(41.25 * 2)
    assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE
    assert socket.close_code == 4009


async def test_the_same_seed_makes_the_same_jobs(clock: TurnableClock) -> None:
    made = []
    for _ in range(2):
        async with (
            Simulator(clock=clock, speed=float("inf"), seed=3) as simulator,
            aiohttp.ClientSession() as http,
        ):
            visitor = Visitor(simulator, http)
            for prompt in ("a cat", "a dog"):
                assert (await visitor.use_imagine(prompt))[0] == 204
            bot = simulator.world.players[MIDJOURNEY]
            while len(jobs := bot.state()["jobs"]) < 2:
                await breathe()
            made.append([job["id"] for job in jobs])
    assert made[0] == made[1]


def test_a_configuration_of_one_s_own(tmp_path: Path) -> None:
    file = tmp_path / "simulator.toml"
    file.write_text(
        '[[users]]\nname="ada"\ntoken="a"\nplan="mega"\nchannel="x"\n'
        '[[users]]\nname="bob"\ntoken="b"\nchannel="x"\n'
    )
    config = load(file)
    ada, bob = config.users
    assert config.channel_of(ada) == config.channel_of(bob)
    file.write_text(
        '[[guilds]]\nname="here"\n[[guilds]]\nname="there"\n'
        '[[users]]\nname="ada"\ntoken="a"\nguild="there"\n[[users]]\nname="bob"\ntoken="b"\n'
    )
    config = load(file)
    ada, bob = config.users
    assert config.guild_of(ada) != config.guild_of(bob)
    assert config.channel_of(ada) != config.channel_of(bob)
    for bad in (
        '[[users]]\nname="a"\ntoken="t"\nguild="nowhere"',
        "nonsense = ",
        "[[users]]\nname=1",
        '[[users]]\nname="a"\ntoken="t"\n' * 2,
    ):
        file.write_text(bad)
        with pytest.raises(BadConfig):
            load(file)
