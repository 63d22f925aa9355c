"""The folder `Keys`, and the system's keyring, as sources of an account."""

from pathlib import Path

import pytest
from keyring.errors import NoKeyringError

from athena.settings import Settings

CHANNEL, GUILD = "1100000000000000201", "1100000000000000001"


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("USER_TOKEN", "GUILD_ID", "CHANNEL_ID", "ATHENA_ACCOUNTS"):
        monkeypatch.delenv(name, raising=False)


def keys(**files: str) -> None:
    Path("Keys").mkdir()
    for name, text in files.items():
        Path(f"Keys/{name}.key").write_text(text)


@pytest.mark.parametrize("guild", ["API_guild_id", "DiscordServerID"])
def test_the_folder_is_an_account(guild: str) -> None:
    keys(authToken="secret\n", API_channel_id=CHANNEL, API_session_id="", **{guild: GUILD})
    (account,) = Settings().accounts
    assert account.token.get_secret_value() == "secret"
    assert (account.channel_id, account.guild_id) == (CHANNEL, GUILD)


def test_the_environment_says_it_before_the_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    keys(authToken="old", API_channel_id=CHANNEL, API_guild_id=GUILD)
    monkeypatch.setenv("USER_TOKEN", "new")
    assert Settings().accounts[0].token.get_secret_value() == "new"


def test_an_empty_folder_says_nothing() -> None:
    keys(authToken="", API_session_id="")
    assert Settings().accounts == []


def test_a_token_out_of_the_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keyring.get_password", lambda service, user: f"{service}/{user}")
    keys(API_channel_id=CHANNEL, API_guild_id=GUILD)
    assert Settings().accounts[0].token.get_secret_value() == f"athena/{CHANNEL}"


def test_a_machine_without_a_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(service: str, user: str) -> str:
        raise NoKeyringError

    monkeypatch.setattr("keyring.get_password", none)
    keys(API_channel_id=CHANNEL, API_guild_id=GUILD)
    assert Settings().accounts == []
