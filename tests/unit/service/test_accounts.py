"""Accounts that are stored, added, changed and removed while the server runs."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from athena.errors import BadRequest, NoAnswer, StoreUnavailable, UnknownAccount
from athena.service.accounts import ACCOUNTS, AccountRecord, AccountRegistry, AccountService
from athena.service.reassignment import REMOVED, Reassignment
from athena.settings import AccountSettings
from athena.store.commands import AccountLoad
from athena.store.encryption import DecryptionFailed, Encryption
from athena.tasks.model import Status
from tests.unit.fakes import make_task, modal
from tests.unit.service.fakes import (
    MemoryRecords,
    Services,
    running,
    settings,
    status,
    stopped,
)

FIELDS = {"token": "secret", "guild_id": "9", "channel_id": "6"}


@pytest.fixture
def records() -> MemoryRecords:
    return MemoryRecords()


@pytest.fixture
def registry(records: MemoryRecords, tmp_path: Path) -> AccountRegistry:
    return AccountRegistry(records, Encryption(tmp_path))


@pytest.fixture
def accounts(services: Services, registry: AccountRegistry) -> AccountService:
    reassignment = Reassignment(
        services.repository,  # type: ignore[arg-type]
        services.directory,
        services.admission,
        services.clock,
    )
    return AccountService(
        registry,
        services.directory,
        services.commands,
        services.repository,  # type: ignore[arg-type]
        reassignment,
        ["1"],
    )


def loaded(registry: AccountRegistry, *configured: AccountSettings) -> dict[str, AccountSettings]:
    return {each.channel_id: each for each in registry.load(configured)}


# The registry


def test_a_stored_account_counts_in_place_of_the_settings(registry: AccountRegistry) -> None:
    registry.put(settings("1", remark="changed"))
    registry.put(settings("6"))
    known = loaded(registry, settings("1", remark="old"), settings("2"))
    assert list(known) == ["1", "2", "6"]
    assert known["1"].remark == "changed"


def test_a_removed_account_is_forgotten(registry: AccountRegistry) -> None:
    registry.put(settings("6"))
    registry.remove("6")
    assert loaded(registry) == {}


def test_every_field_survives(registry: AccountRegistry) -> None:
    account = settings(
        "6", bot_token=SecretStr("bot"), core_size=7, remark="x", weight=3, timeout_minutes=9.5
    )
    registry.put(account)
    assert loaded(registry)["6"] == account


def test_tokens_stand_encrypted_in_the_records(
    registry: AccountRegistry, records: MemoryRecords
) -> None:
    registry.put(settings("6", token=SecretStr("the-secret"), bot_token=SecretStr("the-bot")))
    (body,) = records.kept.values()
    assert b"the-secret" not in body
    assert b"the-bot" not in body


def test_an_account_without_a_bot_keeps_none(registry: AccountRegistry) -> None:
    registry.put(settings("6"))
    assert loaded(registry)["6"].bot_token is None


def test_a_bot_token_that_an_earlier_version_masked_is_left_out(
    registry: AccountRegistry, records: MemoryRecords
) -> None:
    registry.put(settings("6"))
    (record,) = records.all(ACCOUNTS)
    masked = AccountRecord(
        id="6",
        sealed_token=record.sealed_token,
        settings={**record.settings, "bot_token": "**********"},
    )
    records.put(ACCOUNTS, "6", masked)
    assert loaded(registry)["6"].bot_token is None


def test_tokens_of_another_key_are_not_taken(
    registry: AccountRegistry, records: MemoryRecords, tmp_path: Path
) -> None:
    registry.put(settings("6"))
    other = AccountRegistry(records, Encryption(tmp_path / "other"))
    with pytest.raises(DecryptionFailed):
        other.load([])


# Adding


async def test_an_added_account_works_at_once_and_is_stored(
    accounts: AccountService, services: Services, registry: AccountRegistry
) -> None:
    assert await accounts.add(FIELDS) == "6"
    assert (await accounts.find("6")).status.settings == AccountSettings(**FIELDS)  # type: ignore[arg-type]
    assert loaded(registry)["6"].token.get_secret_value() == "secret"


async def test_an_account_that_is_there_is_not_added_again(
    accounts: AccountService, services: Services
) -> None:
    services.put(status("6"))
    with pytest.raises(BadRequest, match="the account 6 already exists"):
        await accounts.add(FIELDS)
    assert services.commands.called == []


async def test_of_two_alike_at_once_one_is_added(
    accounts: AccountService, services: Services
) -> None:
    results = await asyncio.gather(
        accounts.add(FIELDS), accounts.add(FIELDS), return_exceptions=True
    )
    assert [type(each) for each in results] == [str, BadRequest]


@pytest.mark.parametrize(
    ("fields", "named"),
    [({}, "token: .*; guild_id: .*; channel_id: "), ({**FIELDS, "core_size": 0}, "core_size: ")],
)
async def test_impossible_fields_are_named(
    accounts: AccountService, services: Services, fields: dict[str, Any], named: str
) -> None:
    with pytest.raises(BadRequest, match=named):
        await accounts.add(fields)
    assert services.directory.all() == []


async def test_an_account_that_cannot_be_stored_does_not_work(
    accounts: AccountService, services: Services, records: MemoryRecords
) -> None:
    """Finding 8/19: nothing leaks when adding raises."""
    records.refuses = True
    with pytest.raises(StoreUnavailable):
        await accounts.add(FIELDS)
    assert services.commands.called == []
    records.refuses = False
    assert await accounts.add(FIELDS) == "6"


# Changing


@pytest.fixture
async def added(accounts: AccountService) -> str:
    return await accounts.add({**FIELDS, "bot_token": "bot", "remark": "old"})


async def test_a_change_keeps_what_is_not_named(
    accounts: AccountService, added: str, registry: AccountRegistry
) -> None:
    """Finding 24: the bot's token survives any change, encrypted."""
    await accounts.change(added, {"remark": "new"})
    for known in ((await accounts.find(added)).status.settings, loaded(registry)["6"]):
        assert known.bot_token is not None
        assert known.bot_token.get_secret_value() == "bot"
        assert (known.token.get_secret_value(), known.remark) == ("secret", "new")


async def test_a_bot_token_can_be_taken_away(
    accounts: AccountService, added: str, registry: AccountRegistry
) -> None:
    await accounts.change(added, {"bot_token": None})
    assert loaded(registry)["6"].bot_token is None


async def test_a_change_never_moves_an_account_to_another_channel(
    accounts: AccountService, added: str
) -> None:
    await accounts.change(added, {"channel_id": "7"})
    assert [each.status.id for each in await accounts.all()] == ["6"]


async def test_two_changes_at_once_both_count(accounts: AccountService, added: str) -> None:
    await asyncio.gather(
        accounts.change(added, {"remark": "new"}), accounts.change(added, {"weight": 7})
    )
    known = (await accounts.find(added)).status.settings
    assert (known.remark, known.weight) == ("new", 7)


async def test_an_impossible_change_changes_nothing(
    accounts: AccountService, added: str, registry: AccountRegistry
) -> None:
    with pytest.raises(BadRequest, match="queue_size: "):
        await accounts.change(added, {"queue_size": -1, "remark": "new"})
    assert loaded(registry)["6"].remark == "old"


# Removing


async def test_with_an_account_all_its_tasks_end_or_move(
    accounts: AccountService, services: Services, added: str, registry: AccountRegistry
) -> None:
    """Finding 11."""
    services.put(status("7"))
    waiting, opened, sent = make_task(1, "6"), modal(2, "6"), running(3, "6")
    await services.store(waiting, opened, sent)
    await accounts.remove(added)
    assert loaded(registry) == {}
    assert (await services.task(waiting.id)).account == "7"
    for each in (opened, sent):
        ended = await services.task(each.id)
        assert ended.failure is not None
        assert (ended.status, ended.failure.reason) == (Status.FAILURE, REMOVED)
    with pytest.raises(UnknownAccount):
        await accounts.find(added)


async def test_an_account_of_the_settings_is_not_removed(
    accounts: AccountService, services: Services
) -> None:
    services.put(status("1"))
    with pytest.raises(BadRequest, match="disable it instead"):
        await accounts.remove("1")
    assert (await accounts.find("1")).status.id == "1"


async def test_a_caller_that_goes_away_does_not_stop_a_removal_halfway(
    accounts: AccountService, services: Services, added: str
) -> None:
    opened = modal(2, "6")
    await services.store(opened)
    going, gone = asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        going.set()
        await gone.wait()

    services.commands.before = slow
    removing = asyncio.ensure_future(accounts.remove(added))
    await going.wait()
    removing.cancel()
    await asyncio.gather(removing, return_exceptions=True)
    gone.set()
    services.commands.before = lambda: None
    with pytest.raises(UnknownAccount):
        await accounts.remove(added)  # waits its turn
    assert (await services.task(opened.id)).status is Status.FAILURE


# Looking and asking


async def test_every_account_is_shown_with_its_load(
    accounts: AccountService, services: Services
) -> None:
    services.put(status("5"), stopped("6"))
    services.commands.loads["5"] = AccountLoad(2, 7)
    await services.store(make_task(1, "6"), modal(2, "6"))
    first, second = await accounts.all()
    assert (first.status.id, first.running, first.waiting) == ("5", 2, 7)
    assert (second.status.id, second.running, second.waiting) == ("6", 0, 1)


async def test_reconnect_and_refresh_are_carried_out_by_the_worker(
    accounts: AccountService, services: Services
) -> None:
    services.put(status("5"))
    await accounts.reconnect("5")
    await accounts.refresh("5")
    assert services.commands.called == [("reconnect", "5"), ("refresh", "5")]
    services.commands.errors["refresh"] = [NoAnswer("no")]
    with pytest.raises(NoAnswer):
        await accounts.refresh("5")


@pytest.mark.parametrize("ask", ["find", "remove", "reconnect", "refresh"])
async def test_an_account_that_there_is_not(
    accounts: AccountService, services: Services, ask: str
) -> None:
    with pytest.raises(UnknownAccount):
        await getattr(accounts, ask)("404")
    with pytest.raises(UnknownAccount):
        await accounts.change("404", {})
    assert services.commands.called == []
