"""Links that users give: refused by their text, by their name's addresses, and at the socket."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import ThreadedResolver, web
from yarl import URL

from athena.delivery.fetching import Fetcher, NoImage
from athena.delivery.guard import BadLink, Guard, PublicResolver, check_link, guarded_connector

DISGUISED = [
    "http://127。0。0。1/b",  # ideographic full stops
    "http://127．0．0．1/",
    "http://127.0.0.①/",
    "http://169.254.169.²⁵⁴/",
    "http://１２７.1/",
    "http://[::ffff:127.0.0.1]/",
]


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/hook",
        "http://hooks.example.com:8080/a?b=c",
        "https://EXAMPLE.com./",
        "https://user:word@my_hooks.example.com/",
        "https://xn--bcher-kva.example/",
        "https://bücher.example/",
    ],
)
def test_links_that_may_be_called(url: str) -> None:
    check_link(url, "notifyHook", allow_loopback=False)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com/hook",
        "//example.com/hook",
        "ftp://example.com",
        "http:///hook",
        "http://127.0.0.1/",
        "http://127.0.0.1./",
        "http://[::1]/",
        "http://[fe80::1%25eth0]/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://0X7F.1/",
        "http://127.1/",
        "http://127%2e0.0.1/",
        "http://localhost/",
        "http://LOCALHOST./",
        "http://ｌｏｃａｌｈｏｓｔ/",
        "http://a.localhost/",
        "http://intranet/",
        "http://a..example.com/",
        "http://exa mple.com/",
        "http://xn--/",
        "http://1.1.1.1\\@example.com/",
        "http://example.com:99999/",
        "http://[broken/",
        "https://example.com/" + "x" * 2000,
        *DISGUISED,
    ],
)
def test_links_that_may_not_be_called(url: str) -> None:
    with pytest.raises(BadLink):
        check_link(url, "notifyHook", allow_loopback=False)


def test_localhost_needs_permission_and_addresses_never_pass() -> None:
    check_link("http://localhost:9000/hook", "x", allow_loopback=True)
    with pytest.raises(BadLink):
        check_link("http://127.0.0.1:9000/hook", "x", allow_loopback=True)


def resolving(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Every name has these addresses."""

    async def resolve(self: ThreadedResolver, host: str, *more: Any) -> Any:
        return [
            {"hostname": host, "host": each, "port": 0, "family": 2, "proto": 0, "flags": 0}
            for each in addresses
        ]

    monkeypatch.setattr(ThreadedResolver, "resolve", resolve)


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "100.64.0.1", "224.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::",
     "::127.0.0.1", "fec0::1"],
)  # fmt: skip
async def test_names_that_lead_inside_are_refused(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    resolving(monkeypatch, address)
    resolver = PublicResolver(allow_loopback=False)
    with pytest.raises(OSError, match="no public address"):
        await resolver.resolve("example.com", 80)
    with pytest.raises(BadLink, match="private network"):
        await Guard(resolver, allow_loopback=False).check("https://example.com/", "notifyHook")


async def test_only_the_public_addresses_of_a_name_are_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    resolving(monkeypatch, "10.0.0.1", "8.8.8.8")
    found = await PublicResolver(allow_loopback=False).resolve("example.com", 80)
    assert [each["host"] for each in found] == ["8.8.8.8"]


async def test_this_machine_needs_permission() -> None:
    allowed = PublicResolver(allow_loopback=True)
    assert await allowed.resolve("localhost", 80)
    await allowed.close()


@asynccontextmanager
async def listening() -> AsyncIterator[tuple[int, list[int]]]:
    """A server on this machine that answers 403: its port, and its answers."""
    answers: list[int] = []

    async def take(request: web.BaseRequest) -> web.Response:
        answers.append(403)
        return web.Response(status=403)

    runner = web.ServerRunner(web.Server(take))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield runner.addresses[0][1], answers
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("host", ["127.0.0.1", "0x7f.1", "127。0。0。1", "127.0.0.①"])
async def test_the_connector_itself_refuses_an_address(host: str) -> None:
    """Even where nothing checked the link: a server on this machine gets no request."""
    async with listening() as (port, answers):
        connector = guarded_connector(PublicResolver(allow_loopback=False))
        async with aiohttp.ClientSession(connector=connector) as http:
            with pytest.raises(aiohttp.ClientConnectorError):
                await http.get(URL(f"http://{host}:{port}/"))
        assert answers == []
        connector = guarded_connector(PublicResolver(allow_loopback=True))
        async with aiohttp.ClientSession(connector=connector) as http:
            assert (await http.get(URL(f"http://127.0.0.1:{port}/"))).status == 403


async def test_a_link_that_fails_does_not_tell_why() -> None:
    async with listening() as (port, answers):
        connector = guarded_connector(PublicResolver(allow_loopback=True))
        async with (
            aiohttp.ClientSession(connector=connector) as http,
            aiohttp.ClientSession() as trusting,
        ):
            outside = Fetcher(http, trusting, (), allow_loopback=True)
            texts = []
            for url in (f"http://localhost:{port}/", "http://localhost:1/"):
                with pytest.raises(NoImage) as told:
                    await outside.fetch(url)
                texts.append(str(told.value))
    assert answers == [403]
    assert texts == ["the link brings no image"] * 2


@pytest.mark.parametrize("url", DISGUISED)
async def test_a_fetch_of_a_disguised_address_tells_nothing(url: str) -> None:
    connector = guarded_connector(PublicResolver(allow_loopback=False))
    async with aiohttp.ClientSession(connector=connector) as http:
        fetcher = Fetcher(http, http, (), allow_loopback=False)
        with pytest.raises(NoImage, match="not an IP address"):
            await fetcher.fetch(url)
