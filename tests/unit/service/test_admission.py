"""Admission: a task is stored and has a place, or is refused and leaves nothing."""

import asyncio
from typing import Any

import pytest
from pydantic import SecretStr

from athena.errors import BannedWord, NoAccount, QueueFull, StoreUnavailable, UnknownAccount
from athena.service.admission import with_speed
from athena.service.idempotency import IdempotencyKey
from athena.service.options import SubmitOptions
from athena.store.account_directory import AccountState
from athena.tasks import lifecycle
from athena.tasks.bot_events import Profile
from athena.tasks.model import AccountFilter, Action, Api, ImageLinks, Speed, Status, Task
from athena.tasks.requests import Imagine, ModalReply, Press, Shorten
from tests.unit.fakes import make_task, modal
from tests.unit.service.fakes import Services, status, stopped, upload

REQUEST = Imagine(prompt="cat")
KEY = IdempotencyKey("k", "f")


def made(
    services: Services,
    request: Any = REQUEST,
    action: Action = Action.IMAGINE,
    options: SubmitOptions | None = None,
    **fields: Any,
) -> Task:
    account = services.directory.all()[0]
    return services.admission.task(account, request, action, options or SubmitOptions(), **fields)


def test_a_prompt_with_a_banned_word_is_refused(services: Services) -> None:
    services.admission.moderate("a cat")
    with pytest.raises(BannedWord) as raised:
        services.admission.moderate("a bloodbath of cats")
    assert (raised.value.word, raised.value.prompt) == ("bloodbath", "a bloodbath of cats")


def test_a_task_has_all_that_its_request_says(services: Services) -> None:
    services.put(status())
    options = SubmitOptions(
        state="s", webhook="https://hook", speed=Speed.FAST, image_links=ImageLinks.RELAY,
        image_host="img", token="tok", trigger="0000000001", api=Api.TRIGGER,
        accounts=AccountFilter(remark="x"),
    )  # fmt: skip
    task = made(services, options=options, prompt="cat", description="/imagine {id} cat")
    assert task == Task(
        id=task.id, account="5", accounts=AccountFilter(remark="x"), request=REQUEST,
        action=Action.IMAGINE, description=f"/imagine {task.id} cat", state="s",
        webhook="https://hook", speed=Speed.FAST, image_links=ImageLinks.RELAY, image_host="img",
        token="tok", api=Api.TRIGGER, trigger="0000000001", submitted_at=services.clock.now(),
        prompt="cat",
    )  # fmt: skip


def test_a_description_can_be_left_out(services: Services) -> None:
    services.put(status())
    assert made(services).description == ""


def test_ids_are_sixteen_digits_and_never_the_same(services: Services) -> None:
    services.put(status())
    ids = [made(services).id for _ in range(2500)]
    assert len(set(ids)) == 2500
    assert {len(each) for each in ids} == {16}
    assert ids[0][:13] == str(services.clock.now())


def test_videos_may_be_silent_for_twice_as_long(services: Services) -> None:
    services.put(status(timeout_minutes=2))
    assert made(services).idle_timeout == 120_000
    assert made(services, action=Action.VIDEO).idle_timeout == 240_000


@pytest.mark.parametrize(
    ("mode", "speed", "relaxed"),
    [
        ("Relaxed", None, True),
        ("Fast", None, False),
        ("Relaxed", Speed.FAST, False),
        ("Fast", Speed.RELAX, True),
    ],
)
def test_a_task_is_relaxed_by_its_speed_or_else_by_its_account(
    services: Services, mode: str, speed: Speed | None, relaxed: bool
) -> None:
    services.put(status(profile=Profile(mode=mode)))
    assert made(services, options=SubmitOptions(speed=speed)).relaxed is relaxed


def test_where_a_bot_listens_every_imagine_carries_a_tag(services: Services) -> None:
    services.put(status(bot_token=SecretStr("b")))
    tag = made(services).trigger
    assert tag is not None
    assert len(tag) == 10
    assert made(services).trigger not in (None, tag)
    assert made(services, Shorten(prompt="x"), Action.SHORTEN).trigger is None
    assert made(services, options=SubmitOptions(trigger="1")).trigger == "1"


def test_without_such_a_bot_none_does(services: Services) -> None:
    services.put(status())
    assert made(services).trigger is None


def test_the_speed_that_was_decided_goes_into_the_options() -> None:
    options = SubmitOptions(state="s")
    assert with_speed(options, None) is options
    assert with_speed(options, Speed.FAST) == SubmitOptions(state="s", speed=Speed.FAST)


async def test_choosing_counts_what_each_account_has(services: Services) -> None:
    services.put(status("1"), status("2"))
    await services.store(make_task(1, "1"))
    assert services.admission.choose()[0].id == "2"


def test_an_account_that_a_request_is_bound_to_must_be_there(services: Services) -> None:
    services.put(stopped("5"))
    assert services.admission.account("5").id == "5"
    with pytest.raises(NoAccount, match="is not configured"):
        services.admission.account("6")


async def test_accepted_tasks_say_how_many_wait_before_them(services: Services) -> None:
    services.put(status(core_size=2, queue_size=2))
    ahead = [(await services.admission.add(make_task(n))).ahead for n in range(4)]
    assert ahead == [None, None, 0, 1]
    with pytest.raises(QueueFull) as raised:
        await services.admission.add(make_task(5))
    assert (raised.value.account, raised.value.size) == ("5", 2)
    assert services.repository.held(make_task(5).id) is None


async def test_many_at_once_never_get_more_places_than_there_are(services: Services) -> None:
    services.put(status(core_size=1, queue_size=2))
    services.repository.is_held_up = True
    adds = [asyncio.ensure_future(services.admission.add(make_task(n))) for n in range(5)]
    await asyncio.sleep(0)
    services.repository.release()
    results = await asyncio.gather(*adds, return_exceptions=True)
    assert [isinstance(each, QueueFull) for each in results] == [False] * 3 + [True] * 2


async def test_an_account_that_stopped_or_went_meanwhile_takes_nothing(services: Services) -> None:
    services.put(stopped("5", "blocked"))
    with pytest.raises(NoAccount, match="blocked"):
        await services.admission.add(make_task(1))
    services.directory.remove("5")
    with pytest.raises(UnknownAccount):
        await services.admission.add(make_task(1))
    assert services.repository.unfinished() == []


async def test_what_the_disk_refuses_leaves_no_place_taken(services: Services) -> None:
    """Findings 8 and 19: places are counted from what is stored, so none can leak."""
    services.put(status(core_size=1, queue_size=0))
    services.repository.refuses = True
    for n in range(3):
        with pytest.raises(StoreUnavailable):
            await services.admission.add(make_task(n), (), KEY)
    assert services.repository.unfinished_count("5") == 0
    assert services.repository.records == {}
    services.repository.refuses = False
    assert (await services.admission.add(make_task(4))).ahead is None


async def test_what_add_raises_at_once_leaves_no_place_taken(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Finding 19: a task that cannot be encoded."""
    services.put(status(core_size=1, queue_size=0))

    def broken(*_: object, **__: object) -> None:
        raise UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed")

    with monkeypatch.context() as patched:
        patched.setattr(services.repository, "add", broken)
        with pytest.raises(UnicodeEncodeError):
            await services.admission.add(make_task(1))
    assert (await services.admission.add(make_task(2))).ahead is None


async def test_a_listener_that_fails_harms_no_caller(services: Services) -> None:
    """Finding 8."""

    def broken(_: object) -> None:
        raise RuntimeError("no")

    services.put(status())
    services.repository.changes.subscribe(broken)
    accepted = await asyncio.gather(*(services.admission.add(make_task(n)) for n in range(3)))
    assert len(accepted) == 3


async def test_uploads_and_the_answer_are_stored_with_the_task(services: Services) -> None:
    services.put(status())
    accepted = await services.admission.add(make_task(1), [upload()], KEY)
    task_id = accepted.task.id
    assert await services.repository.uploads(task_id) == (upload(),)
    record = services.repository.records["k"]
    assert (record.task_id, record.fingerprint) == (task_id, "f")


async def test_a_caller_that_goes_away_takes_nothing_back(services: Services) -> None:
    services.put(status())
    services.repository.is_held_up = True
    adding = asyncio.ensure_future(services.admission.add(make_task(1)))
    await asyncio.sleep(0)
    adding.cancel()
    await asyncio.gather(adding, return_exceptions=True)
    told: list[object] = []
    services.repository.changes.subscribe(told.append)
    services.repository.release()
    assert len(told) == 1


# Modals


async def test_a_modal_takes_no_place_and_says_what_it_proposes(services: Services) -> None:
    services.put(status(core_size=1, queue_size=0))
    accepted = await services.admission.add_modal(make_task(1), "cat --zoom 2", remix=True, key=KEY)
    assert (accepted.modal, accepted.remix, accepted.ahead) == ("cat --zoom 2", True, None)
    task = await services.task(make_task(1).id)
    assert (task.status, task.final_prompt) == (Status.MODAL, "cat --zoom 2")
    assert task.deadline == services.clock.now() + lifecycle.MODAL_TIMEOUT
    assert services.repository.records["k"].task_id == task.id
    assert (await services.admission.add(make_task(2))).ahead is None


async def test_modals_are_bounded_per_account(services: Services) -> None:
    """Finding 31."""
    services.put(status("5", modal_limit=2), status("6", modal_limit=2))
    for n in range(2):
        await services.admission.add_modal(make_task(n), "", remix=False)
    with pytest.raises(QueueFull) as raised:
        await services.admission.add_modal(make_task(2), "", remix=False)
    assert (raised.value.account, raised.value.size) == ("5", 2)
    assert services.repository.held(make_task(2).id) is None
    await services.admission.add_modal(make_task(3, "6"), "", remix=False)


async def test_modals_are_bounded_per_token_over_all_accounts(services: Services) -> None:
    """Finding 31."""
    services.put(status("5", modal_limit=2), status("6", modal_limit=2))
    for n, account in enumerate("56"):
        await services.admission.add_modal(make_task(n, account, token="a"), "", remix=False)
    for account in "56":
        with pytest.raises(QueueFull):
            await services.admission.add_modal(make_task(9, account, token="a"), "", remix=False)
    await services.admission.add_modal(make_task(3, "5", token="b"), "", remix=False)


async def test_only_modals_count_for_that_bound(services: Services) -> None:
    services.put(status(modal_limit=1))
    await services.admission.add(make_task(1, token="a"))
    await services.admission.add_modal(make_task(2, token="a"), "", remix=False)


async def test_modals_of_callers_without_a_token_are_not_one_tokens(services: Services) -> None:
    services.put(status("5", modal_limit=1), status("6", modal_limit=1))
    await services.admission.add_modal(make_task(1, "5"), "", remix=False)
    await services.admission.add_modal(make_task(2, "6"), "", remix=False)


async def opened(services: Services, **fields: Any) -> tuple[Task, Task]:
    """A modal, and the task after its confirmation."""
    before = modal(1, **fields)
    await services.store(before)
    assert isinstance(before.request, Press)
    return before, lifecycle.confirm(before, before.request, ModalReply(prompt="dog --zoom 1.5"))


async def test_a_confirmed_modal_takes_a_place(services: Services) -> None:
    services.put(status(core_size=1, queue_size=1))
    await services.store(make_task(9))
    before, after = await opened(services)
    accepted = await services.admission.confirm(before, after, [upload()], KEY)
    assert (accepted.task, accepted.ahead) == (after, 0)
    assert await services.repository.uploads(after.id) == (upload(),)
    assert services.repository.unfinished_count("5") == 2
    assert services.repository.records["k"].task_id == after.id


async def test_a_modal_that_finds_no_place_stays_open(services: Services) -> None:
    services.put(status(core_size=1, queue_size=0))
    await services.store(make_task(9))
    before, after = await opened(services)
    with pytest.raises(QueueFull):
        await services.admission.confirm(before, after)
    assert await services.task(before.id) == before


async def test_a_confirmation_that_the_disk_refuses_leaves_it_open(services: Services) -> None:
    services.put(status())
    before, after = await opened(services)
    services.repository.refuses = True
    with pytest.raises(StoreUnavailable):
        await services.admission.confirm(before, after)
    assert await services.task(before.id) == before


async def test_connecting_accounts_take_tasks(services: Services) -> None:
    services.put(status("5", AccountState.CONNECTING))
    assert (await services.admission.add(make_task(1))).ahead is None
