"""What a gateway session is made of."""

import asyncio
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import breathe

from athena.clock import TurnableClock
from athena.discord.identity import Endpoints, Identity, IdentityKind
from athena.discord.session import CloseAction, Inflater, SendLimiter, close_action
from athena.discord.snowflakes import Snowflakes, first_of, made_at


@pytest.mark.parametrize(
    ("code", "meaning"),
    [
        *((code, CloseAction.RESUME) for code in (None, 1006, 4000, 4001, 4002, 4005, 4008, 4321)),
        *((code, CloseAction.IDENTIFY) for code in (4003, 4007, 4009, 4015)),
        *((code, CloseAction.FINAL) for code in (4004, 4010, 4011, 4012, 4013, 4014)),
    ],
)
def test_close_codes(code: int | None, meaning: CloseAction) -> None:
    assert close_action(code) is meaning


@given(st.lists(st.binary(min_size=1, max_size=200), min_size=1, max_size=8), st.integers(1, 64))
def test_one_stream_in_pieces(payloads: list[bytes], size: int) -> None:
    deflate, inflater = zlib.compressobj(), Inflater()
    out = []
    for payload in payloads:
        packed = deflate.compress(payload) + deflate.flush(zlib.Z_SYNC_FLUSH)
        cut = max(len(packed) - size, 0)
        out += [inflater.feed(piece) for piece in (packed[:cut], packed[cut:]) if piece]
    assert b"".join(filter(None, out)) == b"".join(payloads)


def packed(raw: bytes) -> bytes:
    deflate = zlib.compressobj()
    return deflate.compress(raw) + deflate.flush(zlib.Z_SYNC_FLUSH)


def test_a_small_frame_that_unpacks_to_a_huge_payload_is_refused() -> None:
    with pytest.raises(zlib.error, match="too large"):
        Inflater(largest=100_000).feed(packed(b" " * 1_000_000))
    assert Inflater(largest=1_000_000).feed(packed(b" " * 1_000_000))


def test_pieces_that_never_end_are_refused() -> None:
    inflater = Inflater(largest=1_000)
    for _ in range(10):
        inflater.feed(b"x" * 100)
    with pytest.raises(zlib.error, match="too large"):
        inflater.feed(b"x")


async def test_sends_are_limited_and_beats_have_room(clock: TurnableClock) -> None:
    limiter = SendLimiter(clock)
    for _ in range(110):
        await limiter.wait()
    held = asyncio.create_task(limiter.wait())
    await breathe()
    assert not held.done()
    await limiter.wait(beat=True)
    clock.turn(60)
    await held


def test_identities_never_show_their_token() -> None:
    for kind in IdentityKind:
        identity = Identity(token="very-secret", kind=kind)
        assert "very-secret" not in repr(identity)
        assert "very-secret" in identity.headers()["Authorization"]
        assert identity.identify()["token"] == "very-secret"


@pytest.mark.parametrize(
    ("api", "gateway", "url", "trusted"),
    [
        ("https://discord.com/api/v9", "", "wss://gateway-us-east1-b.discord.gg", True),
        ("https://discord.com/api/v9", "", "ws://gateway.discord.gg", False),
        ("https://discord.com/api/v9", "", "wss://evil.example", False),
        ("https://discord.com/api/v9", "", "wss://discord.gg.evil.example", False),
        ("http://127.0.0.1:9/api/v9", "ws://127.0.0.1:9/gateway", "ws://127.0.0.1:9/x", True),
        ("http://127.0.0.1:9/api/v9", "", "wss://gateway.discord.gg", False),
    ],
)
def test_a_token_goes_to_discord_s_own_hosts_only(
    api: str, gateway: str, url: str, trusted: bool
) -> None:
    assert Endpoints(api_url=api, gateway_url=gateway).trusts(url) is trusted


def test_snowflakes_are_unique_grow_and_hold_their_hour(clock: TurnableClock) -> None:
    ids = Snowflakes(clock)
    made = [ids.make() for _ in range(10_000)]
    assert made == sorted(set(made))
    assert made_at(made[0]) == clock.now()
    clock.turn(5)
    assert first_of(clock.now()) <= ids.make()
