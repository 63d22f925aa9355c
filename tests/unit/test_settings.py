"""The sources of settings."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from athena.settings import Settings


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_nested_names_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATHENA_DISCORD__API_URL", "http://127.0.0.1:9001/api/v9")
    monkeypatch.setenv("ATHENA_SERVER__PORT", "9000")
    settings = Settings()
    assert settings.discord.api_url == "http://127.0.0.1:9001/api/v9"
    assert settings.server.port == 9000
    assert settings.discord.cdn_url == "https://cdn.discordapp.com"


def test_the_plain_names_from_env_and_dotenv(
    empty_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (empty_folder / ".env").write_text("USER_TOKEN=t\nGUILD_ID=1\nCHANNEL_ID=2\nCONCUR_SIZE=5\n")
    monkeypatch.setenv("CALLBACK_URL", "https://example.com/hook")
    settings = Settings()
    (account,) = settings.accounts
    assert (account.token.get_secret_value(), account.channel_id) == ("t", "2")
    assert (account.core_size, account.queue_size) == (5, 10)
    assert settings.webhooks.url == "https://example.com/hook"
    assert "'t'" not in repr(settings)


def test_several_accounts_from_toml(empty_folder: Path) -> None:
    (empty_folder / "athena.toml").write_text(
        '[[accounts]]\ntoken="a"\nguild_id="1"\nchannel_id="2"\n'
        '[[accounts]]\ntoken="b"\nguild_id="1"\nchannel_id="3"\nqueue_size=50\n'
    )
    assert [account.queue_size for account in Settings().accounts] == [10, 50]


def test_two_accounts_in_one_channel_are_refused(empty_folder: Path) -> None:
    account = '[[accounts]]\ntoken="a"\nguild_id="1"\nchannel_id="2"\n'
    (empty_folder / "athena.toml").write_text(account * 2)
    with pytest.raises(ValidationError, match="more than one account: 2"):
        Settings()


def test_former_names_of_sections_still_count(
    empty_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (empty_folder / "athena.toml").write_text('[hooks]\nurl="https://example.com/old"\n')
    (empty_folder / ".env").write_text("ATHENA_PICTURES__LINKS=proxy\n")
    monkeypatch.setenv("ATHENA_PICTURES__PROXY_HOST", "https://img.example.com")
    monkeypatch.setenv("ATHENA_HOOKS__ALLOW_LOOPBACK", "true")
    settings = Settings()
    assert (settings.images.links, settings.images.proxy_host) == (
        "proxy", "https://img.example.com",
    )  # fmt: skip
    assert settings.webhooks.url == "https://example.com/old"
    assert settings.webhooks.allow_loopback


def test_a_new_name_counts_before_the_former_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATHENA_PICTURES__LINKS", "proxy")
    monkeypatch.setenv("ATHENA_IMAGES__LINKS", "relay")
    assert Settings().images.links == "relay"
