"""Who may come in."""

import pytest
from pydantic import SecretStr

from athena.http.auth import Gate, OpenToTheWorld
from athena.settings import ServerSettings


def test_without_a_secret_only_this_machine_is_served() -> None:
    with pytest.raises(OpenToTheWorld):
        Gate(ServerSettings(host="0.0.0.0"))
    Gate(ServerSettings(host="0.0.0.0", allow_open=True))
    Gate(ServerSettings(host="0.0.0.0", secret=SecretStr("s")))
    for host in ("127.0.0.1", "127.8.8.8", "::1", "localhost"):
        Gate(ServerSettings(host=host))


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
    assert Gate(ServerSettings()).admits(headers) is admitted
