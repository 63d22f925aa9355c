"""Authentication and authorization."""

from typing import Any

import pytest
from pydantic import SecretStr

from athena.clock import Clock, TurnableClock
from athena.http import path_options
from athena.http.auth import Authenticator, OpenToTheWorld
from athena.http.path_options import PathOptions
from athena.settings import ServerSettings
from athena.store.tokens import Role, Tokens, new
from athena.tasks.model import ImageLinks, Speed


def gate(tokens: Tokens | None = None, clock: Clock | None = None, **server: Any) -> Authenticator:
    return Authenticator(ServerSettings(**server), tokens or Tokens(), clock or TurnableClock())


def test_without_a_secret_only_this_machine_is_served() -> None:
    with pytest.raises(OpenToTheWorld):
        gate(host="0.0.0.0")
    gate(host="0.0.0.0", allow_open=True)
    gate(host="0.0.0.0", secret=SecretStr("s"))
    gate(Tokens([new("one", 0)[0]]), host="0.0.0.0")
    for host in ("127.0.0.1", "127.8.8.8", "::1", "localhost"):
        gate(host=host)


@pytest.mark.parametrize(
    ("headers", "admitted"),
    [
        ([(b"host", b"127.0.0.1:8062")], True),
        ([(b"host", b"localhost:8062"), (b"origin", b"http://localhost:3000")], True),
        ([(b"host", b"[::1]:8062")], True),
        ([(b"host", b"rebound.example:8062")], False),
        ([(b"host", b"localhost"), (b"origin", b"https://evil.example")], False),
        ([(b"host", b"localhost"), (b"origin", b"null")], False),
    ],
)
def test_local_calls(headers: list[tuple[bytes, bytes]], admitted: bool) -> None:
    assert (gate().admit(headers) is not None) is admitted


@pytest.mark.parametrize(
    "header",
    [
        (b"mj-api-secret", b"%s"),
        (b"authorization", b"Bearer %s"),
        (b"authorization", b"%s"),
    ],
)
def test_tokens_open_with_their_role_and_wishes_until_they_expire(
    header: tuple[bytes, bytes],
) -> None:
    clock = TurnableClock()
    options = {"role": Role.ADMIN, "speed": Speed.RELAX, "image_links": ImageLinks.RELAY}
    token, secret = new("mine", clock.now(), expires_at=clock.now() + 60_000, **options)
    doors = gate(Tokens([token]), clock, secret=SecretStr("the operator's"))
    headers = [(header[0], header[1] % secret.encode())]
    caller = doors.admit(headers)
    assert caller is not None
    assert (caller.role, caller.token) == (Role.ADMIN, token)
    assert caller.options == PathOptions(Speed.RELAX, ImageLinks.RELAY)
    assert secret not in repr(token)
    clock.turn(61)
    assert doors.admit(headers) is None
    assert doors.admit([(b"mj-api-secret", b"the operator's")]) is not None
    for wrong in (b"", b"at-wrong", secret.encode()[:-1]):
        assert doors.admit([(b"mj-api-secret", wrong)]) is None


@pytest.mark.parametrize(
    ("path", "plain", "options"),
    [
        ("/mj/submit/imagine", "/mj/submit/imagine", PathOptions()),
        ("/mj-fast/mj/submit/imagine", "/mj/submit/imagine", PathOptions(Speed.FAST)),
        ("/mj-relay/mj/task/1/fetch", "/mj/task/1/fetch", PathOptions(None, ImageLinks.RELAY)),
        ("/mj-turbo-proxy/mj/x", "/mj/x", PathOptions(Speed.TURBO, ImageLinks.PROXY)),
        ("/mj-relax-origin/mj/x", "/mj/x", PathOptions(Speed.RELAX, ImageLinks.ORIGIN)),
        ("/mj-proxy-turbo/mj/x", "/mj-proxy-turbo/mj/x", PathOptions()),
        ("/mj-fast/x", "/mj-fast/x", PathOptions()),
        ("/docs", "/docs", PathOptions()),
    ],
)
def test_prefixes(path: str, plain: str, options: PathOptions) -> None:
    assert path_options.of_path(path) == (plain, options)


def test_a_token_goes_before_the_path_for_each_wish_separately() -> None:
    token = PathOptions(Speed.RELAX, None)
    assert token.over(PathOptions(Speed.TURBO, ImageLinks.PROXY)) == PathOptions(
        Speed.RELAX, ImageLinks.PROXY
    )
