"""What an event asks of its account: cancel, stop, relax, fill in, translate."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace

from athena.clock import TurnableClock
from athena.discord import wire
from athena.discord.errors import UnknownObject
from athena.midjourney import MIDJOURNEY, NIJI, commands
from athena.tasks import lifecycle
from athena.tasks.bot_events import Evidence, Finished, MessageContent, Notice, Verdict
from athena.tasks.model import Action, Bot, CorrelationIds, Sending, Status, Task
from athena.tasks.requests import Describe, ModalReply, Press, SwapFace
from tests.unit.accounts.assembly import JOB, Account, account_settings, described, finished
from tests.unit.discord.settling import settle
from tests.unit.fakes import NoTranslation, make_task


class Translation(NoTranslation):
    """A translator that answers when its gate opens."""

    is_configured = True

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.asked: list[str] = []
        self.answer: str | None = "一只猫"
        self.fault: Exception | None = None

    async def chinese(self, text: str) -> str | None:
        self.asked.append(text)
        await self.gate.wait()
        if self.fault:
            raise self.fault
        return self.answer


@pytest.fixture
async def account(clock: TurnableClock) -> AsyncIterator[Account]:
    account = Account(clock)
    yield account
    await account.supervisor.close()


@pytest.fixture
def translation() -> Translation:
    return Translation()


@pytest.fixture
async def reader(clock: TurnableClock, translation: Translation) -> AsyncIterator[Account]:
    """An account with a translator."""
    account = Account(clock, translation=translation)
    yield account
    await account.supervisor.close()


def told(title: str, verdict: Verdict = Verdict.ACCOUNT_DOWN) -> Notice:
    return Notice(evidence=Evidence(), verdict=verdict, title=title, description="so it is")


def names(account: Account) -> list[str]:
    acts = [each for each, _ in account.interactor.acts]
    return [each.name if isinstance(each, commands.UseCommand) else each.custom_id
            for each in acts]  # fmt: skip


# Notices


async def test_a_notice_stops_the_account_and_says_why(account: Account) -> None:
    account.reactions.account_notice(told("Blocked"))
    assert account.status.reason == "Midjourney: [Blocked] so it is"
    assert account.status.is_stopped


async def test_a_check_for_a_person_says_where(account: Account) -> None:
    account.reactions.account_notice(told("Action required to continue", Verdict.HUMAN_CHECK))
    assert account.status.reason.endswith("so it is See https://discord.com/channels/9/5")


async def test_used_up_hours_stop_the_account(account: Account) -> None:
    account.reactions.account_notice(told("Credits exhausted"))
    assert account.status.is_stopped


async def test_used_up_hours_lead_to_relaxed_mode_where_its_owner_allows_it(
    account: Account,
) -> None:
    """Finding 25: the setting counts as it is now."""
    account.status.configure(account_settings(relax_when_exhausted=True))
    account.reactions.account_notice(told("Blocked"))
    assert account.status.is_stopped
    account.status.go_online()
    account.reactions.account_notice(told("Credits exhausted"))
    await settle()
    assert account.status.is_online
    assert names(account) == ["relax"]


# Cancelling


async def test_the_job_of_a_cancelled_task_is_cancelled(account: Account) -> None:
    running = account.sent(make_task(bot=Bot.NIJI))
    ids = CorrelationIds(nonce="77", job=JOB, message="60", progress_message="60")
    before = account.replace(running, replace(running, ids=ids, revision=running.revision + 1))
    after = account.cancel(before)
    account.reactions.task_cancelled(before, after)
    await settle()
    [(interaction, _)] = account.interactor.acts
    assert interaction == commands.PressButton(
        application=NIJI, message="60", custom_id=f"MJ::CancelJob::ByJobid::{JOB}"
    )
    assert not account.now(after).cancel_job


async def test_a_job_that_is_not_known_yet_is_waited_for(account: Account) -> None:
    before = account.sent(make_task())
    after = account.cancel(before)
    account.reactions.task_cancelled(before, after)
    await settle()
    assert account.interactor.acts == []
    assert account.now(after).cancel_job


async def test_what_was_cancelled_already_is_not_cancelled_again(account: Account) -> None:
    running = account.sent(make_task())
    ids = CorrelationIds(nonce="77", job=JOB, message="60", progress_message="60")
    before = account.replace(running, replace(running, ids=ids, revision=running.revision + 1))
    after = lifecycle.job_cancelled(account.cancel(before))
    account.reactions.task_cancelled(before, after)
    await settle()
    assert account.interactor.acts == []


@pytest.mark.parametrize(
    "changes",
    [
        {"sending": Sending.SENDING, "ids": CorrelationIds(job=JOB, progress_message="60")},
        {"ids": CorrelationIds(job=JOB, message="60")},
    ],
)
async def test_a_job_that_shows_no_button_is_not_cancelled(
    account: Account, changes: dict[str, object]
) -> None:
    running = account.sent(make_task())
    before = account.replace(running, replace(running, **changes, revision=running.revision + 1))
    after = account.cancel(before)
    account.reactions.task_cancelled(before, after)
    await settle()
    assert account.interactor.acts == []
    assert not account.now(after).cancel_job


async def test_a_job_that_comes_late_is_cancelled(account: Account) -> None:
    task = account.sent(make_task())
    account.cancel(task)
    alike = account.submit(make_task(2, prompt="cat 1"))
    assert account.queue.next(3) is None
    message = finished(account.interactor.nonce(), task, nonce=task.ids.nonce)
    account.receiver.read(message)
    await settle()
    [(interaction, _)] = account.interactor.acts
    assert interaction == commands.PressButton(
        application=MIDJOURNEY, message=message.id, custom_id=f"MJ::CancelJob::ByJobid::{JOB}"
    )
    assert not account.now(task).cancel_job
    assert account.queue.next(3) is alike


@pytest.mark.parametrize("evidence", [Evidence(job=JOB), Evidence(message="60")])
async def test_a_late_job_that_cannot_be_cancelled_is_let_go(
    account: Account, evidence: Evidence
) -> None:
    task = account.cancel(account.sent(make_task()))
    account.reactions.orphan_found(task, evidence)
    assert account.supervisor._running == {}
    assert not account.queue.is_orphaned(task.id)


async def test_a_job_that_is_over_already_is_no_error(account: Account) -> None:
    task = account.cancel(account.sent(make_task()))
    account.interactor.errors.append(UnknownObject("10008"))
    work = account.supervisor.spawn("x", account.reactions._cancel_job(task, "60", JOB))
    await work
    assert account.interactor.errors == []


# Second steps


def press_task(reply: ModalReply | None) -> Task:
    press = Press(parent="1", message="50", custom_id="MJ::JOB::reroll::0::x", reply=reply)
    return make_task(request=press, action=Action.REROLL, bot=Bot.NIJI,
                     ids=CorrelationIds(parent_message="50"))  # fmt: skip


@pytest.mark.parametrize(("reply", "remix"), [(None, True), (ModalReply(prompt="a dog"), None)])
async def test_a_modal_is_submitted_and_an_unexpected_one_tells_of_remix(
    account: Account, reply: ModalReply | None, remix: bool | None
) -> None:
    task = account.sent(press_task(reply))
    text = wire.Component(type=4, custom_id="prompt", value="proposed")
    modal = wire.ModalCreate(id="900", components=(text,), nonce=task.ids.nonce)
    account.reactions.modal_opened(task, modal)
    await settle()
    assert account.interactor.inputs == [{"prompt": "a dog" if reply else "proposed"}]
    status = account.directory.get("5")
    assert status is not None
    assert (status.niji_profile.remix, status.profile.remix) == (remix, None)


async def test_a_modal_of_what_is_no_press_tells_nothing(account: Account) -> None:
    task = account.sent(make_task())
    modal = wire.ModalCreate(id="900", nonce=task.ids.nonce)
    account.reactions.modal_opened(task, modal)
    await settle()
    assert account.status.profile.remix is None


async def test_a_second_step_is_taken(account: Account) -> None:
    task = account.begin(make_task(request=SwapFace(), action=Action.SWAP_FACE))
    account.tasks.apply(task.id, lambda each: lifecycle.begin_preparing(each, "600", 1))
    seen = Finished(evidence=Evidence(), shown=MessageContent())
    account.reactions.prepared(account.now(task), seen)
    await settle()
    assert names(account) == ["swapid"]


async def test_seeds_and_shown_jobs_are_handed_on(account: Account) -> None:
    loop = asyncio.get_running_loop()
    seed = account.seeds._asked["job"] = loop.create_future()
    shown = account.seeds._shown["job"] = loop.create_future()
    account.reactions.seed_told("job", "42")
    account.reactions.job_shown("job", "6", "60")
    assert (await seed, await shown) == ("42", ("6", "60"))


# Results that are text


def describe_task(account: Account) -> Task:
    return account.sent(make_task(request=Describe(link="x"), action=Action.DESCRIBE))


async def test_a_text_is_translated_once_and_ends_its_task(
    reader: Account, translation: Translation
) -> None:
    task = describe_task(reader)
    message = described(reader.interactor.nonce(), nonce=task.ids.nonce)
    reader.receiver.read(message)
    reader.receiver.read(message)
    await settle()
    assert reader.now(task) is task
    assert reader.reactions.translating == {task.id}
    reader.clock.turn(5)
    translation.gate.set()
    await settle()
    after = reader.now(task)
    assert (after.status, after.text_translated) == (Status.SUCCESS, "一只猫")
    assert after.finished_at == reader.clock.now()
    assert translation.asked == ["1️⃣ a cat on a mat"]
    assert reader.reactions.translating == set()


async def test_a_text_that_is_being_translated_is_not_overdue(
    reader: Account, translation: Translation
) -> None:
    """Finding 15: through receiver, recovery and watchdog."""
    task = describe_task(reader)
    message = described(reader.interactor.nonce(), nonce=task.ids.nonce)
    reader.connection.messages_of_channel.append(message)
    reader.clock.turn(400)
    await reader.watchdog.turn()
    await reader.watchdog.turn()
    assert reader.now(task) is task
    translation.gate.set()
    await settle()
    assert reader.now(task).status is Status.SUCCESS


async def test_a_text_that_could_not_be_translated_ends_its_task_without(
    reader: Account, translation: Translation
) -> None:
    task = describe_task(reader)
    translation.answer = None
    translation.gate.set()
    reader.receiver.read(described(reader.interactor.nonce(), nonce=task.ids.nonce))
    await settle()
    after = reader.now(task)
    assert (after.status, after.text_translated) == (Status.SUCCESS, None)


async def test_a_fault_of_the_translator_leaves_the_task_to_its_deadline(
    reader: Account, translation: Translation
) -> None:
    task = describe_task(reader)
    translation.fault = KeyError("fault")
    translation.gate.set()
    reader.receiver.read(described(reader.interactor.nonce(), nonce=task.ids.nonce))
    await settle()
    assert reader.now(task) is task
    assert reader.reactions.translating == set()


async def test_an_image_is_not_translated(reader: Account, translation: Translation) -> None:
    task = reader.sent(make_task())
    reader.receiver.read(finished(reader.interactor.nonce(), task, nonce=task.ids.nonce))
    assert reader.now(task).status is Status.SUCCESS
    assert translation.asked == []


async def test_a_translated_text_is_not_translated_again(
    reader: Account, translation: Translation
) -> None:
    seen = Finished(evidence=Evidence(), shown=MessageContent(), text="a cat", translated="")
    assert not reader.reactions.text_finished(describe_task(reader), seen)


async def test_without_a_translator_a_text_ends_its_task_at_once(account: Account) -> None:
    task = describe_task(account)
    account.receiver.read(described(account.interactor.nonce(), nonce=task.ids.nonce))
    assert account.now(task).status is Status.SUCCESS


# Names


async def test_whatever_runs_beside_has_a_name(clock: TurnableClock) -> None:
    """So that a log line says what has failed."""
    account = Account(clock, translation=Translation(), relax_when_exhausted=True)
    task = account.sent(make_task())
    seen = Finished(evidence=Evidence(), shown=MessageContent(), text="1️⃣ a cat")
    account.reactions.account_notice(told("Credits exhausted"))
    account.reactions.modal_opened(task, wire.ModalCreate(id="900"))
    account.reactions.prepared(task, seen)
    account.reactions.text_finished(task, seen)
    account.reactions.orphan_found(task, Evidence(message="60", job=JOB))
    names = [each.get_name() for each in account.supervisor._running]
    kinds = ["relax", "answer_modal", "second_step", "translate", "cancel_job"]
    assert names == [f"5/{kind}" for kind in kinds]
    await account.supervisor.close()
