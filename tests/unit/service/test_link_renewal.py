"""Links are renewed before they die, and what is deleted or replaced meanwhile stays so."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from athena.clock import TurnableClock
from athena.errors import NoAccount, NoAnswer, UnknownTask
from athena.service.link_renewal import LinkRenewal, dies_at, fresh_until
from athena.tasks import lifecycle
from athena.tasks.model import Image, Task
from tests.unit.service.fakes import Services, finished, status, stopped

HOUR, DAY = 3_600_000, 24 * 3_600_000


def link(name: str, signed: int, ends: int) -> str:
    return f"https://cdn/{name}?ex={ends // 1000:x}&is={signed // 1000:x}&hm=00"


@pytest.fixture
def renewal(services: Services) -> LinkRenewal:
    services.put(status("5"), status("6"))
    return LinkRenewal(
        services.repository,  # type: ignore[arg-type]
        services.directory,
        services.commands,
        services.clock,
    )


def old(services: Services, number: int = 1, account: str = "5") -> Task:
    """A finished task whose link is dead; the fresh one is known to Discord."""
    name, now = f"{number}.png", services.clock.now()
    url = link(name, now - 2 * DAY, now - DAY)
    services.commands.links[url] = fresh(services, number)
    return finished(number, account, image=Image(url=url, filename=name))


def fresh(services: Services, number: int = 1) -> str:
    now = services.clock.now()
    return link(f"{number}.png", now, now + DAY)


def asked(services: Services) -> list[tuple[str, int]]:
    """Which account was asked for how many links."""
    calls: list[Any] = [about for name, about in services.commands.called if name == "refresh_urls"]
    return [(account, len(urls)) for account, urls in calls]


def test_a_link_says_when_it_was_signed_and_when_it_ends() -> None:
    assert dies_at(link("a.png", 1000, 5000)) == (1000, 5000)


@pytest.mark.parametrize(
    "url", ["https://cdn/a", "https://cdn/a?ex=5", "https://cdn/a?is=5", "https://cdn/a?ex=x&is=5"]
)
def test_other_links_live_for_ever(url: str) -> None:
    assert dies_at(url) is None
    assert fresh_until(finished(image=Image(url=url))) is None


def test_a_link_is_given_out_until_an_hour_before_its_end_or_half_its_life() -> None:
    def until(life: int) -> int | None:
        return fresh_until(finished(image=Image(url=link("a", DAY, DAY + life))))

    assert until(DAY) == DAY + DAY - HOUR
    assert until(HOUR) == DAY + HOUR // 2
    assert fresh_until(finished()) is None


def test_a_link_is_stale_from_that_moment_on(
    services: Services, renewal: LinkRenewal, clock: TurnableClock
) -> None:
    now = clock.now()
    task = finished(image=Image(url=link("a", now, now + DAY)))
    clock.turn(23 * 3600 - 1)
    assert not renewal.is_stale(task)
    clock.turn(1)
    assert renewal.is_stale(task)
    assert not renewal.is_stale(finished())


async def test_a_stale_link_is_renewed_and_stored(services: Services, renewal: LinkRenewal) -> None:
    task = old(services)
    await services.store(task)
    renewed = await renewal.one(task)
    assert renewed.image == Image(url=fresh(services), filename="1.png")
    assert await services.task(task.id) == renewed


async def test_links_that_live_cost_no_call(services: Services, renewal: LinkRenewal) -> None:
    living = finished(2, image=Image(url=fresh(services, 2)))
    assert await renewal.renewed([living, finished(3)]) == [living, finished(3)]
    assert asked(services) == []


async def test_many_are_renewed_in_calls_of_fifty_and_stay_in_their_order(
    services: Services, renewal: LinkRenewal
) -> None:
    tasks = [old(services, n) for n in range(1, 102)]
    await services.store(*tasks)
    renewed = await renewal.renewed(tasks)
    assert [each.id for each in renewed] == [each.id for each in tasks]
    assert asked(services) == [("5", 50), ("5", 50), ("5", 1)]


async def test_a_link_that_discord_does_not_renew_stays_as_it_is(
    services: Services, renewal: LinkRenewal
) -> None:
    first, second = old(services, 1), old(services, 2)
    await services.store(first, second)
    services.commands.links.pop(first.image.url)  # type: ignore[union-attr]
    renewed = await renewal.renewed([first, second])
    assert renewed[0] == first
    assert renewed[1].image.url == fresh(services, 2)  # type: ignore[union-attr]


@pytest.mark.parametrize("error", [NoAccount("stopped"), NoAnswer("429")])
async def test_another_account_is_asked_when_the_tasks_own_cannot(
    services: Services, renewal: LinkRenewal, error: NoAccount | NoAnswer
) -> None:
    task = old(services, 1, "6")
    await services.store(task)
    services.commands.errors["refresh_urls"] = [error]
    assert (await renewal.one(task)).image.url == fresh(services)  # type: ignore[union-attr]
    assert asked(services) == [("6", 1), ("5", 1)]


async def test_stopped_and_unknown_accounts_are_not_asked(
    services: Services, renewal: LinkRenewal
) -> None:
    services.put(stopped("5"))
    first, second = old(services, 1, "5"), old(services, 2, "gone")
    await services.store(first, second)
    await renewal.renewed([first, second])
    assert asked(services) == [("6", 2)]


async def test_where_nobody_can_ask_the_old_link_is_given(
    services: Services, renewal: LinkRenewal
) -> None:
    task = old(services)
    await services.store(task)
    services.commands.errors["refresh_urls"] = [NoAnswer("429"), NoAnswer("429")]
    assert await renewal.one(task) == task


def meanwhile(services: Services, act: Callable[[], Any]) -> None:
    """Once, while Discord is asked."""

    async def work() -> None:
        services.commands.before = lambda: None
        await act()

    services.commands.before = work


async def test_a_task_deleted_meanwhile_stays_deleted(
    services: Services, renewal: LinkRenewal
) -> None:
    """Finding 30."""
    task, other = old(services), finished(2)
    await services.store(task, other)
    meanwhile(services, lambda: services.repository.remove(task))
    assert await renewal.renewed([task, other]) == [other]
    assert services.repository.held(task.id) is None
    with pytest.raises(UnknownTask):
        await renewal.one(task)


async def test_a_task_deleted_in_the_moment_of_the_save_stays_deleted(
    services: Services, renewal: LinkRenewal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Finding 30."""
    task = old(services)
    await services.store(task)
    save = services.repository.save

    def late(before: Task, after: Task, **options: Any) -> object:
        services.repository.removed.add(before.id)
        services.repository._cache.drop(before.id)
        return save(before, after, **options)

    monkeypatch.setattr(services.repository, "save", late)
    assert await renewal.renewed([task]) == []


async def test_a_link_for_an_image_that_was_replaced_meanwhile_is_not_kept(
    services: Services, renewal: LinkRenewal
) -> None:
    """M22: the fresh link is of the former image."""
    task = old(services)
    await services.store(task)
    newer = lifecycle.with_image(task, Image(url=fresh(services, 2), filename="2.png"))
    meanwhile(services, lambda: services.repository.save(task, newer))
    assert await renewal.one(task) == newer
    assert await services.task(task.id) == newer


async def test_a_task_that_lost_its_image_meanwhile_gets_none(
    services: Services, renewal: LinkRenewal
) -> None:
    task = old(services)
    await services.store(task)
    bare = replace(task, image=None, revision=task.revision + 1)
    meanwhile(services, lambda: services.repository.save(task, bare))
    assert await renewal.one(task) == bare


async def test_what_else_changed_meanwhile_is_kept(
    services: Services, renewal: LinkRenewal
) -> None:
    task = old(services)
    await services.store(task)
    meanwhile(services, lambda: services.repository.save(task, lifecycle.with_seed(task, "7")))
    renewed = await renewal.one(task)
    assert (renewed.seed, renewed.image.url) == ("7", fresh(services))  # type: ignore[union-attr]


async def test_a_change_in_the_moment_of_the_save_is_kept(
    services: Services, renewal: LinkRenewal, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = old(services)
    await services.store(task)
    save = services.repository.save

    def late(before: Task, after: Task, **options: Any) -> object:
        monkeypatch.setattr(services.repository, "save", save)
        save(before, lifecycle.with_seed(before, "7"))
        return save(before, after, **options)

    monkeypatch.setattr(services.repository, "save", late)
    renewed = await renewal.one(task)
    assert (renewed.seed, renewed.image.url) == ("7", fresh(services))  # type: ignore[union-attr]
    assert await services.task(task.id) == renewed


async def test_two_renewals_at_once_agree(services: Services, renewal: LinkRenewal) -> None:
    task = old(services)
    await services.store(task)
    both = await asyncio.gather(renewal.one(task), renewal.one(task))
    assert {each.image.url for each in both} == {fresh(services)}  # type: ignore[union-attr]


async def test_a_disk_that_takes_nothing_does_not_hold_the_link_back(
    services: Services, renewal: LinkRenewal
) -> None:
    """A link that is not stored is asked for again; whoever waits for it is not to wait for the
    disk."""
    task = old(services)
    await services.store(task)
    services.repository.refuses = True
    assert (await renewal.one(task)).image.url == fresh(services)  # type: ignore[union-attr]
    assert await services.task(task.id) == task
