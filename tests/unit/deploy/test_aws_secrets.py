"""`get_aws_secrets.py`: a secret of AWS becomes .env, or no file is changed."""

import importlib.util
import json
import stat
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import boto3  # type: ignore[import-untyped]
import pytest
from dotenv import dotenv_values
from moto import mock_aws

ROOT = Path(__file__).parents[3]
VALUES = {"USER_TOKEN": "a 'strange' #token", "GUILD_ID": "1", "CHANNEL_ID": 2}


@pytest.fixture
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("get_aws_secrets", ROOT / "get_aws_secrets.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / ".env.template").write_text((ROOT / ".env.template").read_text())
    (tmp_path / ".env").write_text("USER_TOKEN=old\n")
    return tmp_path


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    for name in ("ENV", "ATHENA_SECRET_NAME", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    with mock_aws():
        yield boto3.client("secretsmanager")


@pytest.mark.parametrize("env", ["dev", "staging", "prod"])
def test_the_secret_of_an_environment_is_written(
    script: ModuleType, folder: Path, secrets: Any, monkeypatch: pytest.MonkeyPatch, env: str
) -> None:
    monkeypatch.setenv("ENV", env)
    values = {**VALUES, "PROXY_URL": "http://proxy:1"}
    secrets.create_secret(Name=f"athena/{env}", SecretString=json.dumps(values))
    assert script.main(folder) == 0
    written = folder / ".env"
    assert stat.S_IMODE(written.stat().st_mode) == 0o600
    in_file = dotenv_values(written)
    assert in_file["USER_TOKEN"] == VALUES["USER_TOKEN"]
    assert (in_file["GUILD_ID"], in_file["CHANNEL_ID"], in_file["CONCUR_SIZE"]) == ("1", "2", "3")
    assert (in_file["PROXY_URL"], in_file["BOT_TOKEN"]) == ("http://proxy:1", "")
    assert sorted(each.name for each in folder.iterdir()) == [".env", ".env.template"]


@pytest.mark.parametrize(
    ("kept", "says"),
    [
        (None, "no secret 'athena/dev'"),
        ("not json", "no JSON"),
        ("[1]", "no JSON object"),
        (json.dumps({"USER_TOKEN": "x", "GUILD_ID": ""}), "lacks GUILD_ID, CHANNEL_ID"),
        (json.dumps({**VALUES, "USER_TOKEN": "two\nlines"}), "more than one line"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_touched(
    script: ModuleType, folder: Path, secrets: Any, capsys: pytest.CaptureFixture[str],
    kept: str | None, says: str,
) -> None:  # fmt: skip
    if kept is not None:
        secrets.create_secret(Name="athena/dev", SecretString=kept)
    assert script.main(folder) == 1
    assert says in capsys.readouterr().err
    assert (folder / ".env").read_text() == "USER_TOKEN=old\n"


def test_other_faults(
    script: ModuleType, folder: Path, secrets: Any, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("ENV", "production")
    assert script.main(folder) == 1
    assert "dev, staging, prod" in capsys.readouterr().err
    monkeypatch.setenv("ENV", "dev")
    secrets.create_secret(Name="athena/dev", SecretString=json.dumps(VALUES))
    (folder / ".env.template").unlink()
    assert script.main(folder) == 1
    assert ".env.template" in capsys.readouterr().err
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    assert script.main(folder) == 1
    assert (folder / ".env").read_text() == "USER_TOKEN=old\n"


def test_the_template_names_every_setting_of_the_document() -> None:
    names = {line.partition("=")[0] for line in (ROOT / ".env.template").read_text().split("\n")}
    assert names >= {
        "USER_TOKEN", "BOT_TOKEN", "GUILD_ID", "CHANNEL_ID", "CALLBACK_URL", "CONCUR_SIZE",
        "WAIT_SIZE", "LOG_LEVEL", "PROXY_URL",
    }  # fmt: skip
