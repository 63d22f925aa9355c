"""Events find their tasks; what is about the account, its seeds and modals is handed over."""

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from athena.accounts.receiver import Receiver
from athena.clock import TurnableClock
from athena.discord import events, wire
from athena.discord.snowflakes import Snowflakes
from athena.midjourney import MIDJOURNEY, NIJI
from athena.tasks import lifecycle
from athena.tasks.bot_events import BotEvent, Evidence, Finished, Notice
from athena.tasks.model import Action, Bot, CorrelationIds, Sending, Status, Task
from athena.tasks.requests import Describe, ModalReply, Press, SwapFace
from tests.unit.accounts.assembly import (
    JOB,
    ME,
    Account,
    bot_message,
    caused_by,
    described,
    finished,
    notice,
    progress,
)
from tests.unit.fakes import make_task, sent


class Recorder:
    """Keeps what the receiver hands over; a result that is text may be finished later."""

    def __init__(self) -> None:
        self.notices: list[Notice] = []
        self.orphans: list[tuple[str, str | None]] = []
        self.modals: list[tuple[str, str]] = []
        self.steps: list[tuple[str, BotEvent]] = []
        self.seeds: list[tuple[str, str]] = []
        self.jobs: list[tuple[str, str, str]] = []
        self.texts: list[str] = []
        self.finishes_later = False

    def account_notice(self, notice: Notice) -> None:
        self.notices.append(notice)

    def orphan_found(self, task: Task, evidence: Evidence) -> None:
        self.orphans.append((task.id, evidence.job))

    def modal_opened(self, task: Task, modal: wire.ModalCreate) -> None:
        self.modals.append((task.id, modal.id))

    def prepared(self, task: Task, event: BotEvent) -> None:
        self.steps.append((task.id, event))

    def seed_told(self, job: str, seed: str) -> None:
        self.seeds.append((job, seed))

    def job_shown(self, job: str, channel: str, message: str) -> None:
        self.jobs.append((job, channel, message))

    def text_finished(self, task: Task, event: Finished) -> bool:
        assert isinstance(event, Finished)
        self.texts.append(task.id)
        return self.finishes_later


class Following(Account):
    """An account whose receiver hands over to a recorder."""

    def __init__(self, clock: TurnableClock) -> None:
        super().__init__(clock)
        self.told = Recorder()
        self.receiver: Receiver = self.receiver_for(self.told)
        self.next_id = Snowflakes(clock, worker=2).nonce

    @property
    def counts(self) -> dict[str, int]:
        return dict(self.receiver.counts)


@pytest.fixture
async def account(clock: TurnableClock) -> Following:
    return Following(clock)


def created(message: wire.Message) -> events.MessageCreated:
    return events.MessageCreated(message)


# Tasks


async def test_messages_move_their_task_on(account: Following) -> None:
    task = account.sent(make_task())
    begun = progress(account.next_id(), task, nonce=task.ids.nonce)
    account.receiver.receive(events.InteractionCreated("600", task.ids.nonce))
    account.receiver.receive(created(begun))
    assert (account.now(task).status, account.now(task).progress) == (Status.IN_PROGRESS, 30)
    done = finished(account.next_id(), task, interaction_metadata=caused_by("600"))
    account.receiver.receive(created(done))
    after = account.now(task)
    assert (after.status, after.ids.job) == (Status.SUCCESS, JOB)
    assert account.queue.running_count == 0
    assert account.counts == {}


async def test_the_moment_of_an_event_is_that_of_its_coming(
    account: Following, clock: TurnableClock
) -> None:
    task = account.sent(make_task())
    clock.turn(20)
    account.receiver.receive(created(finished(account.next_id(), task, nonce=task.ids.nonce)))
    assert account.now(task).finished_at == clock.now()


async def test_an_update_brings_only_what_changed(account: Following) -> None:
    task = account.sent(make_task())
    message = progress(account.next_id(), task, nonce=task.ids.nonce)
    account.receiver.receive(created(message))
    newer = progress(message.id, task, 62).content
    patch = wire.MessagePatch(id=message.id, channel_id="5", content=newer)
    assert patch.author is UNSET
    account.receiver.receive(events.MessageUpdated(patch))
    assert account.now(task).progress == 62


async def test_an_update_of_a_message_that_was_never_seen_stands_alone(
    account: Following,
) -> None:
    task = account.sent(make_task())
    known = progress(account.next_id(), task, 62)
    patch = wire.MessagePatch(
        id=known.id, channel_id="5", content=known.content, author=known.author
    )
    account.receiver.receive(events.MessageUpdated(patch))
    assert account.now(task).progress == 62


async def test_a_deleted_message_is_told_to_its_task_and_forgotten(account: Following) -> None:
    task = account.sent(make_task())
    message = progress(account.next_id(), task, nonce=task.ids.nonce)
    account.receiver.receive(created(message))
    account.receiver.receive(events.MessagesDeleted("5", (message.id, "1")))
    assert account.now(task).removed
    assert account.counts == {"unmatched": 1}
    assert account.receiver._messages.get(message.id) is None


@pytest.mark.parametrize("kind", [events.InteractionCreated, events.InteractionSucceeded])
async def test_an_interaction_s_id_is_learned_by_its_nonce(
    account: Following, kind: type[events.InteractionCreated]
) -> None:
    task = account.sent(make_task())
    account.receiver.receive(kind("600", task.ids.nonce))
    assert account.now(task).ids.interaction == "600"


async def test_a_failed_interaction_ends_its_task(account: Following) -> None:
    task = account.sent(make_task())
    account.receiver.receive(events.InteractionFailed("600", task.ids.nonce, 2))
    assert account.now(task).status is Status.FAILURE


async def test_other_events_are_left_alone(account: Following) -> None:
    account.receiver.receive(events.Resumed("session"))
    assert account.counts == {}


async def test_messages_of_people_are_left_alone(account: Following) -> None:
    author = wire.User(id="1")
    account.receiver.receive(created(bot_message(account.next_id(), "hello", author=author)))
    assert account.counts == {}
    assert account.cursor.newest == "0"


async def test_what_is_no_task_s_and_what_may_be_two_is_counted(account: Following) -> None:
    first, second = (
        account.submit(sent(make_task(n, prompt="a cat"), account.next_id(), account.clock))
        for n in (1, 2)
    )
    account.receiver.receive(created(progress(account.next_id(), first)))
    assert account.counts == {"ambiguous": 1}
    account.receiver.receive(created(progress(account.next_id(), make_task(3))))
    assert account.counts == {"ambiguous": 1, "unmatched": 1}
    assert [account.now(each) for each in (first, second)] == [first, second]


async def test_a_form_that_nobody_reads_is_counted_and_kept(account: Following) -> None:
    account.receiver.receive(created(bot_message(account.next_id(), "Beep boop")))
    assert account.counts == {"unknown": 1, "unmatched": 1}
    assert dict(account.forms.counts) == {"Beep boop": 1}


async def test_a_task_that_was_moved_is_not_touched(account: Following) -> None:
    task = account.sent(make_task())
    elsewhere = replace(task, account="6", revision=task.revision + 1)
    account.repository.save(task, elsewhere)
    account.receiver.receive(created(finished(account.next_id(), task, nonce=task.ids.nonce)))
    assert account.now(task) is elsewhere


async def test_a_message_of_another_user_is_not_taken_for_ours(account: Following) -> None:
    task = account.sent(make_task())
    content = progress("1", task).content.replace(f"<@{ME}>", "<@8>")
    account.receiver.receive(created(bot_message(account.next_id(), content)))
    assert account.now(task) is task


async def test_events_that_are_read_again_change_nothing(account: Following) -> None:
    task = account.sent(make_task())
    message = progress(account.next_id(), task, nonce=task.ids.nonce)
    account.receiver.receive(created(message))
    after = account.now(task)
    account.clock.turn(100)
    account.receiver.read(message, live=False)
    assert account.now(task) is after


# Memory


async def test_memory_of_messages_is_bounded(account: Following) -> None:
    """Finding 38."""
    for _ in range(500):
        account.receiver.receive(created(bot_message(account.next_id(), "Beep")))
    assert len(account.receiver._messages) == 100


async def test_messages_of_running_tasks_are_kept_and_the_oldest_others_go(
    account: Following,
) -> None:
    task = account.sent(make_task())
    own = progress(account.next_id(), task, nonce=task.ids.nonce)
    account.receiver.receive(created(own))
    others = [account.next_id() for _ in range(120)]
    for each in others:
        account.receiver.receive(created(bot_message(each, "Beep")))
    kept = account.receiver._messages
    assert [each for each in (own.id, *others) if kept.get(each)] == [own.id, *others[-100:]]


async def test_a_message_that_is_seen_again_is_as_new(account: Following) -> None:
    ids = [account.next_id() for _ in range(101)]
    for each in (*ids[:100], ids[0], ids[100]):
        account.receiver.receive(created(bot_message(each, "Beep")))
    assert account.receiver._messages.get(ids[0])
    assert account.receiver._messages.get(ids[1]) is None


# Orphans


async def test_the_late_job_of_a_cancelled_task_is_handed_over(account: Following) -> None:
    task = account.sent(make_task())
    cancelled = account.cancel(task)
    account.receiver.receive(created(progress(account.next_id(), task, nonce=task.ids.nonce)))
    assert account.told.orphans == []
    account.receiver.receive(created(finished(account.next_id(), task, nonce=task.ids.nonce)))
    assert account.told.orphans == [(task.id, JOB)]
    assert account.told.texts == []
    assert account.now(task) is cancelled


# Two steps


async def test_the_answer_to_a_first_step_is_handed_over(account: Following) -> None:
    task = account.begin(make_task(request=SwapFace(), action=Action.SWAP_FACE))
    account.tasks.apply(task.id, lambda each: lifecycle.begin_preparing(each, "600", 1))
    preparing = account.now(task)
    waiting = bot_message(account.next_id(), flags=128, nonce="600")
    account.receiver.receive(created(waiting))
    assert account.now(task) is preparing
    account.receiver.receive(events.MessagesDeleted("5", (waiting.id,)))
    saved = notice(account.next_id(), "Saved", nonce="600")
    account.receiver.receive(created(saved))
    [(task_id, event)] = account.told.steps
    assert (task_id, event.evidence.message) == (task.id, saved.id)
    assert account.now(task) is preparing


async def test_a_first_step_that_failed_ends_its_task(account: Following) -> None:
    task = account.begin(make_task(request=SwapFace(), action=Action.SWAP_FACE))
    account.tasks.apply(task.id, lambda each: lifecycle.begin_preparing(each, "600", 1))
    account.receiver.receive(events.InteractionFailed("700", "600", None))
    assert account.now(task).status is Status.FAILURE
    assert account.told.steps == []


async def test_the_second_step_s_answers_are_the_task_s(account: Following) -> None:
    task = account.sent(make_task(request=SwapFace(), action=Action.SWAP_FACE, prompt="cat"))
    account.receiver.receive(created(progress(account.next_id(), task, nonce=task.ids.nonce)))
    assert account.now(task).progress == 30
    assert account.told.steps == []


async def test_a_task_of_one_step_is_never_handed_over(account: Following) -> None:
    """A press is prepared too, but its modal, not a message, is the answer."""
    press = Press(parent="1", message="50", custom_id="MJ::CustomZoom::job")
    task = account.begin(
        make_task(request=press, action=Action.ZOOM, ids=CorrelationIds(parent_message="50"))
    )
    account.tasks.apply(task.id, lambda each: lifecycle.begin_preparing(each, "600", 1))
    account.receiver.receive(created(progress(account.next_id(), task, nonce="600")))
    assert account.now(task).progress == 30
    account.receiver.receive(created(finished(account.next_id(), task, nonce="600")))
    assert account.now(task).status is Status.SUCCESS
    assert account.told.steps == []


async def test_a_modal_is_handed_over_to_its_task(account: Following) -> None:
    task = account.sent(make_task())
    nonce = int(task.ids.nonce or 0)
    account.receiver.receive(events.ModalOpened(wire.ModalCreate(id="900", nonce=nonce)))
    account.receiver.receive(events.ModalOpened(wire.ModalCreate(id="901")))
    assert account.told.modals == [(task.id, "900")]
    assert account.counts == {"unmatched": 1}


async def test_a_modal_without_a_nonce_is_found_by_its_interaction(account: Following) -> None:
    task = account.sent(make_task())
    account.receiver.receive(events.InteractionCreated("900", task.ids.nonce))
    account.receiver.receive(events.ModalOpened(wire.ModalCreate(id="900")))
    assert account.told.modals == [(task.id, "900")]


async def test_the_second_interaction_of_a_modal_finds_its_task(account: Following) -> None:
    """M3: the first one's id must not stay under the new nonce."""
    press = Press(
        parent="1", message="50", custom_id="MJ::CustomZoom::job", reply=ModalReply(prompt="a cat")
    )
    ids = CorrelationIds(parent_message="50")
    task = account.begin(make_task(request=press, action=Action.ZOOM, ids=ids))
    await account.sender.send(task)
    first = account.now(task)
    account.receiver.receive(events.InteractionCreated("600", first.ids.nonce))
    assert account.now(task).ids.interaction == "600"
    await account.sender.answer(first, wire.ModalCreate(id="900", nonce=first.ids.nonce))
    second = account.now(task)
    account.receiver.receive(events.InteractionCreated("601", second.ids.nonce))
    shown = progress(account.next_id(), task, interaction_metadata=caused_by("601"))
    account.receiver.receive(created(shown))
    assert account.now(task).progress == 30


async def test_a_modal_of_a_task_that_was_moved_is_nobody_s(account: Following) -> None:
    task = account.sent(make_task())
    account.repository.save(task, replace(task, account="6", revision=task.revision + 1))
    modal = wire.ModalCreate(id="900", nonce=task.ids.nonce)
    account.receiver.receive(events.ModalOpened(modal))
    assert (account.told.modals, account.counts) == ([], {"unmatched": 1})


async def test_a_page_that_checks_for_a_person_is_a_notice(account: Following) -> None:
    task = account.sent(make_task())
    page = wire.ModalCreate(id="900", nonce=task.ids.nonce, title="Action required to continue")
    account.receiver.receive(events.ModalOpened(page))
    assert [each.title for each in account.told.notices] == ["Action required to continue"]
    assert account.told.modals == []
    assert account.now(task).sending is Sending.NOT_SENT


async def test_a_modal_that_only_says_something_concerns_no_account(account: Following) -> None:
    task = account.sent(make_task())
    queued = wire.ModalCreate(id="900", nonce=task.ids.nonce, title="Job queued")
    account.receiver.receive(events.ModalOpened(queued))
    assert account.told.modals == []
    modal = wire.ModalCreate(id="900", nonce=task.ids.nonce, title="Invalid parameter")
    account.receiver.receive(events.ModalOpened(modal))
    assert account.told.notices == []
    assert account.now(task).status is Status.FAILURE


# Results that are text


async def test_a_text_that_is_finished_later_is_not_applied_now(account: Following) -> None:
    task = account.sent(make_task(request=Describe(link="x"), action=Action.DESCRIBE))
    message = described(account.next_id(), nonce=task.ids.nonce)
    account.told.finishes_later = True
    account.receiver.receive(created(message))
    assert account.now(task) is task
    account.told.finishes_later = False
    account.receiver.read(message, live=False)
    assert account.now(task).status is Status.SUCCESS


# The account


async def test_a_notice_about_the_account_is_handed_over_once_it_is_news(
    account: Following,
) -> None:
    blocked = notice(account.next_id(), "Blocked", interaction_metadata=caused_by("1"))
    account.receiver.read(blocked, live=False)
    assert [each.title for each in account.told.notices] == ["Blocked"]
    account.receiver.read(blocked, live=False)
    assert len(account.told.notices) == 1
    account.receiver.read(blocked)
    assert len(account.told.notices) == 2


async def test_a_notice_to_somebody_else_is_not(account: Following) -> None:
    theirs = caused_by("1", user="8")
    account.receiver.read(notice(account.next_id(), "Blocked", interaction_metadata=theirs))
    account.receiver.read(notice(account.next_id(), "Job queued"))
    assert account.told.notices == []


@pytest.mark.parametrize(
    ("application", "fields", "learned"),
    [
        (MIDJOURNEY, {"interaction_metadata": caused_by("1")}, True),
        (MIDJOURNEY, {"interaction_metadata": caused_by("1", user="8")}, False),
        (MIDJOURNEY, {"nonce": "66"}, True),
        (MIDJOURNEY, {}, False),
        (NIJI, {"nonce": "66"}, True),
    ],
)
async def test_what_a_bot_says_of_the_account_is_learned(
    account: Following, application: str, fields: dict[str, object], learned: bool
) -> None:
    author = wire.User(id=application, bot=True)
    text = "Remix mode turned on! Click Remix to change the prompt"
    account.receiver.read(bot_message(account.next_id(), text, author=author, **fields))
    status = account.directory.get("5")
    assert status is not None
    bot, other = (Bot.NIJI, Bot.MIDJOURNEY)[:: 1 if application == NIJI else -1]
    assert status.profile_of(bot).remix is (True if learned else None)
    assert status.profile_of(other).remix is None
    assert account.counts == {}


# Other channels


async def test_the_bot_s_direct_channel_brings_seeds_and_jobs(account: Following) -> None:
    task = account.sent(make_task())
    seed = f"**a cat**\n**Job ID**: {JOB}\n**seed** 42"
    account.receiver.read(bot_message("70", seed, channel_id="6"))
    account.receiver.read(finished("71", task, channel_id="6", nonce=task.ids.nonce))
    account.receiver.read(progress("72", task, channel_id="6", nonce=task.ids.nonce))
    assert account.told.seeds == [(JOB, "42")]
    assert account.told.jobs == [(JOB, "6", "71")]
    assert account.now(task) is task
    assert (account.cursor.newest, len(account.receiver._messages)) == ("0", 0)


async def test_a_seed_in_the_account_s_channel_is_told_too(account: Following) -> None:
    seed = f"**a cat**\n**Job ID**: {JOB}\n**seed** 42"
    account.receiver.read(bot_message("70", seed))
    assert account.told.seeds == [(JOB, "42")]
    assert account.counts == {}
