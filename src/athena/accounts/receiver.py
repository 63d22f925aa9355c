"""Events come in, tasks move on: read, match, advance, save.

The same steps serve live events and messages read from the history, and doing them twice changes
nothing, so recovery needs no logic of its own. What an event asks for beside the change of a task
is the business of `Reactions`.
"""

from collections import Counter
from typing import Protocol

import structlog

from athena.accounts.channel_cursor import ChannelCursor
from athena.accounts.connection import Connection
from athena.accounts.kept_messages import KeptMessages
from athena.accounts.ownership import OwnedTasks
from athena.accounts.status import WorkerStatus
from athena.accounts.unknown_forms import UnknownForms
from athena.clock import Clock
from athena.discord import events, wire
from athena.midjourney import commands, modals, reader
from athena.tasks import lifecycle
from athena.tasks.bot_events import (
    AccountInfo,
    Acknowledged,
    BotEvent,
    Evidence,
    Finished,
    Notice,
    Progress,
    Rejected,
    Removed,
    SeedInfo,
    Unknown,
    Verdict,
    Waiting,
)
from athena.tasks.matching import Ambiguous, Found, TaskIndex
from athena.tasks.model import Bot, Sending, Task

log = structlog.get_logger(__name__)


class Reactions(Protocol):
    """What the receiver hands over. Every method must return at once."""

    def account_notice(self, notice: Notice) -> None:
        """A notice concerns the account itself."""

    def orphan_found(self, task: Task, evidence: Evidence) -> None:
        """A job of a task that was cancelled before the job was known."""

    def modal_opened(self, task: Task, modal: wire.ModalCreate) -> None:
        """A task's press opened a modal."""

    def prepared(self, task: Task, event: BotEvent) -> None:
        """The first of a task's two steps was answered."""

    def seed_told(self, job: str, seed: str) -> None:
        """The bot told the seed of a job."""

    def job_shown(self, job: str, channel: str, message: str) -> None:
        """The bot showed a job in another channel than the account's."""

    def text_finished(self, task: Task, event: Finished) -> bool:
        """A result that is text; True when it is finished later, once it is translated."""
        ...


class Receiver:
    """Follows one account's channel."""

    def __init__(
        self,
        status: WorkerStatus,
        tasks: OwnedTasks,
        index: TaskIndex,
        connection: Connection,
        reactions: Reactions,
        clock: Clock,
        unknown_forms: UnknownForms,
        cursor: ChannelCursor,
    ) -> None:
        self.counts: Counter[str] = Counter()
        """How often an event found no task (`unmatched`), several (`ambiguous`), or no reader
        (`unknown`)."""
        self._status = status
        self._tasks = tasks
        self._index = index
        self._connection = connection
        self._reactions = reactions
        self._clock = clock
        self._unknown_forms = unknown_forms
        self._cursor = cursor
        self._messages = KeptMessages(index)

    def receive(self, event: events.Event) -> None:
        """Handle one gateway event that is about messages or interactions."""
        match event:
            case events.MessageCreated(message=message):
                self.read(message)
            case events.MessageUpdated(patch=patch):
                self.read(patch.onto(self._messages.get(patch.id)))
            case events.MessagesDeleted(message_ids=ids):
                for message_id in ids:
                    self._removed(message_id)
            case events.InteractionCreated() | events.InteractionSucceeded():
                self._handle(Acknowledged(evidence=_interaction(event)))
            case events.InteractionFailed(reason_code=code):
                self._handle(Rejected(evidence=_interaction(event), reason_code=code))
            case events.ModalOpened(modal=modal):
                self._opened(modal)
            case _:
                pass

    def read(self, message: wire.Message, *, live: bool = True) -> None:
        """Handle a message as it is now, live or from the history."""
        event = reader.read(message, self._connection.user_id)
        if event is None:
            return
        if message.channel_id != self._connection.channel_id:
            self._handle_elsewhere(message, event)
            return
        self._messages.put(message)
        is_news = self._cursor.note(message.id) or live
        if isinstance(event, Unknown):
            self.counts["unknown"] += 1
            self._unknown_forms.note(message)
        self._handle(event)
        if is_news and isinstance(event, Notice) and _concerns_account(event):
            self._reactions.account_notice(event)

    def _handle_elsewhere(self, message: wire.Message, event: BotEvent) -> None:
        """The bot's direct channel brings seeds, and jobs shown for their sake."""
        match event:
            case SeedInfo(job=job, seed=seed):
                self._reactions.seed_told(job, seed)
            case Finished(evidence=Evidence(job=str(job))):
                self._reactions.job_shown(job, message.channel_id, message.id)
            case _:
                pass

    def _opened(self, modal: wire.ModalCreate) -> None:
        """A modal for a task's press; a page that checks for a person is a notice instead."""
        nonce = None if modal.nonce is None else str(modal.nonce)
        evidence = Evidence(nonce=nonce, interaction=modal.id)
        if said := modals.notice(modal):
            notice = Notice(evidence=evidence, verdict=said.verdict, title=said.title,
                            description=said.description)  # fmt: skip
            self._handle(notice)
            if _concerns_account(notice):
                self._reactions.account_notice(notice)
            return
        match self._index.find(evidence):
            case Found(task_id) if task := self._tasks.current(task_id):
                self._reactions.modal_opened(task, modal)
            case _:
                self.counts["unmatched"] += 1

    def _removed(self, message_id: str) -> None:
        self._messages.drop(message_id)
        self._handle(Removed(evidence=Evidence(message=message_id)))

    def _handle(self, event: BotEvent) -> None:
        if isinstance(event, AccountInfo | SeedInfo):
            self._learn(event)
            return
        match self._index.find(event.evidence):
            case Found(task_id):
                self._apply(task_id, event)
            case Ambiguous(task_ids):
                self.counts["ambiguous"] += 1
                log.warning("event.ambiguous", tasks=task_ids, account=self._status.account)
            case _:
                self.counts["unmatched"] += 1

    def _learn(self, told: AccountInfo | SeedInfo) -> None:
        """What is no task's: an account's settings, a job's seed."""
        match told:
            case SeedInfo(job=job, seed=seed):
                self._reactions.seed_told(job, seed)
            case AccountInfo(evidence=evidence, profile=profile):
                if evidence.nonce or evidence.user == self._connection.user_id:
                    self._status.learn(profile, evidence.bot or Bot.MIDJOURNEY)
                    log.info("account.synced", account=self._status.account)

    def _apply(self, task_id: str, event: BotEvent) -> None:
        task = self._tasks.current(task_id)
        if task is None:
            return
        if self._tasks.queue.is_orphaned(task_id):
            if event.evidence.job:
                self._reactions.orphan_found(task, event.evidence)
            return
        if commands.has_second_step(task) and self._prepares(task, event):
            return
        if isinstance(event, Finished) and self._reactions.text_finished(task, event):
            return
        now = self._clock.now()
        self._tasks.apply(task_id, lambda current: lifecycle.advance(current, event, now))

    def _prepares(self, task: Task, event: BotEvent) -> bool:
        """Whether an event is about a task's first step, which makes nothing to show."""
        if task.sending is not Sending.PREPARING:
            return False
        if commands.is_prepared(task, event):
            self._reactions.prepared(task, event)
            return True
        return isinstance(event, Waiting | Progress | Removed)


def _interaction(
    event: events.InteractionCreated | events.InteractionSucceeded | events.InteractionFailed,
) -> Evidence:
    return Evidence(nonce=event.nonce, interaction=event.interaction_id)


def _concerns_account(notice: Notice) -> bool:
    return notice.evidence.own and notice.verdict in (Verdict.ACCOUNT_DOWN, Verdict.HUMAN_CHECK)
