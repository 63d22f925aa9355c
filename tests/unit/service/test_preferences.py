"""What administrators change while the server runs."""

import asyncio
from random import Random

import pytest

from athena.errors import StoreUnavailable
from athena.service.choosing import Chooser, Rule
from athena.service.preferences import PREFERENCES, ChangedPreferences, Preferences
from athena.settings import AccountChoice, ImageSettings, Settings
from athena.tasks.model import ImageLinks
from tests.unit.service.fakes import MemoryRecords


@pytest.fixture
def records() -> MemoryRecords:
    return MemoryRecords()


@pytest.fixture
def chooser() -> Chooser:
    return Chooser(Rule.RANDOM, Random(1))


def preferences(records: MemoryRecords, chooser: Chooser, rule: str = "Weight") -> Preferences:
    settings = Settings.model_construct(
        choice=AccountChoice(rule=rule),  # type: ignore[arg-type]
        images=ImageSettings(links=ImageLinks.RELAY),
    )
    return Preferences(records, settings, chooser)


def test_the_settings_count_until_somebody_changes_them(
    records: MemoryRecords, chooser: Chooser
) -> None:
    known = preferences(records, chooser)
    assert (known.rule, known.links, chooser.rule) == (Rule.WEIGHT, ImageLinks.RELAY, Rule.WEIGHT)
    assert records.kept == {}


async def test_a_change_counts_at_once_and_after_a_restart(
    records: MemoryRecords, chooser: Chooser
) -> None:
    known = preferences(records, chooser)
    await known.change(rule=Rule.POLLING)
    await known.change(links=ImageLinks.ORIGIN)
    assert (known.rule, known.links, chooser.rule) == (
        Rule.POLLING,
        ImageLinks.ORIGIN,
        Rule.POLLING,
    )
    again = Chooser(Rule.RANDOM, Random(1))
    restarted = preferences(records, again)
    assert (restarted.rule, restarted.links, again.rule) == (
        Rule.POLLING,
        ImageLinks.ORIGIN,
        Rule.POLLING,
    )


async def test_two_changes_at_once_both_count(records: MemoryRecords, chooser: Chooser) -> None:
    """Finding 26."""
    known = preferences(records, chooser)
    await asyncio.gather(known.change(rule=Rule.POLLING), known.change(links=ImageLinks.PROXY))
    assert (known.rule, known.links) == (Rule.POLLING, ImageLinks.PROXY)
    assert records.all(PREFERENCES) == [
        ChangedPreferences(rule=Rule.POLLING, links=ImageLinks.PROXY)
    ]


async def test_what_nobody_changed_is_not_kept(records: MemoryRecords, chooser: Chooser) -> None:
    await preferences(records, chooser).change(rule=Rule.WEIGHT, links=ImageLinks.RELAY)
    assert records.all(PREFERENCES) == [ChangedPreferences()]
    assert preferences(records, chooser, "Random").rule is Rule.RANDOM


async def test_a_change_that_cannot_be_kept_changes_nothing(
    records: MemoryRecords, chooser: Chooser
) -> None:
    known = preferences(records, chooser)
    records.refuses = True
    with pytest.raises(StoreUnavailable):
        await known.change(rule=Rule.POLLING, links=ImageLinks.PROXY)
    assert (known.rule, known.links, chooser.rule) == (Rule.WEIGHT, ImageLinks.RELAY, Rule.WEIGHT)
