"""Events come in, tasks move on: read, match, advance, store.

The same three steps serve live events and messages read from the history, and doing them twice
changes nothing, so recovery needs no logic of its own.
"""

from collections import Counter, OrderedDict
from collections.abc import Callable

import structlog

from athena.accounts.account import Account
from athena.accounts.channel_cursor import ChannelCursor
from athena.accounts.connection import Connection
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
from athena.tasks.matching import Ambiguous, Found
from athena.tasks.model import Sending, Task

log = structlog.get_logger(__name__)

_REMEMBERED = 5_000
"""Messages whose last state is kept, because an update may be partial."""


class Receiver:
    """Follows one account's channel.

    `on_notice` hears every notice that concerns the account itself; `on_unwanted` every job of a
    task that was cancelled before the job existed; `on_modal` every modal that a task's press
    opened; `on_prepared` every answer to a task's first step; `on_seed` a job and its seed;
    `on_shown` a job, and the channel and message that showed it elsewhere.
    """

    def __init__(
        self,
        account: Account,
        connection: Connection,
        clock: Clock,
        unknown_forms: UnknownForms,
        seen: ChannelCursor,
    ) -> None:
        self.counts: Counter[str] = Counter()
        """How often a bot event found no task (`nobody`), several (`ambiguous`), or no reader
        (`unknown`)."""
        self.on_notice: Callable[[Notice], None]
        self.on_unwanted: Callable[[Task, Evidence], None]
        self.on_modal: Callable[[Task, wire.ModalCreate], None]
        self.on_prepared: Callable[[Task, BotEvent], None]
        self.on_seed: Callable[[str, str], None]
        self.on_shown: Callable[[str, str, str], None]
        self.on_words: Callable[[Task, Finished], None]
        self.translates = False
        """Whether words are given to `on_words` before their task ends."""
        self._seen = seen
        self._unknowns = unknown_forms
        self._account = account
        self._connection = connection
        self._clock = clock
        self._messages: OrderedDict[str, wire.Message] = OrderedDict()

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
                self._see(Acknowledged(evidence=_interaction(event)))
            case events.InteractionFailed(reason_code=code):
                self._see(Rejected(evidence=_interaction(event), reason_code=code))
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
            self._see_elsewhere(message, event)
            return
        self._remember(message)
        is_news = self._seen.note(message.id) or live
        if isinstance(event, Unknown):
            self.counts["unknown"] += 1
            self._unknowns.note(message)
        self._see(event)
        if is_news and isinstance(event, Notice) and _concerns_account(event):
            self.on_notice(event)

    def _see_elsewhere(self, message: wire.Message, event: BotEvent) -> None:
        """The bot's direct channel brings seeds, and jobs shown for their sake."""
        match event:
            case SeedInfo(job=job, seed=seed):
                self.on_seed(job, seed)
            case Finished(evidence=Evidence(job=str(job))):
                self.on_shown(job, message.channel_id, message.id)
            case _:
                pass

    def _opened(self, modal: wire.ModalCreate) -> None:
        """A modal for a task's press; a page that checks for a person is a notice instead."""
        nonce = None if modal.nonce is None else str(modal.nonce)
        evidence = Evidence(nonce=nonce, interaction=modal.id)
        if said := modals.notice(modal):
            notice = Notice(evidence=evidence, verdict=said.verdict, title=said.title,
                            description=said.description)  # fmt: skip
            self._see(notice)
            if _concerns_account(notice):
                self.on_notice(notice)
            return
        match self._account.index.find(evidence):
            case Found(task_id) if task := self._account.current(task_id):
                self.on_modal(task, modal)
            case _:
                self.counts["nobody"] += 1

    def _removed(self, message_id: str) -> None:
        self._messages.pop(message_id, None)
        self._see(Removed(evidence=Evidence(message=message_id)))

    def _remember(self, message: wire.Message) -> None:
        self._messages[message.id] = message
        self._messages.move_to_end(message.id)
        if len(self._messages) > _REMEMBERED:
            self._messages.popitem(last=False)

    def _see(self, event: BotEvent) -> None:
        if isinstance(event, AccountInfo | SeedInfo):
            self._learn(event)
            return
        match self._account.index.find(event.evidence):
            case Found(task_id):
                self._apply(task_id, event)
            case Ambiguous(task_ids):
                self.counts["ambiguous"] += 1
                log.warning("event.ambiguous", tasks=task_ids, account=self._account.id)
            case _:
                self.counts["nobody"] += 1

    def _learn(self, told: AccountInfo | SeedInfo) -> None:
        """What is no task's: an account's settings, a job's seed."""
        match told:
            case SeedInfo(job=job, seed=seed):
                self.on_seed(job, seed)
            case AccountInfo(evidence=evidence, profile=profile):
                if evidence.nonce or evidence.user == self._connection.user_id:
                    self._account.profile = self._account.profile.updated(profile)
                    log.info("account.synced", account=self._account.id)

    def _apply(self, task_id: str, event: BotEvent) -> None:
        task = self._account.current(task_id)
        if task is None:
            return
        if task_id in self._account.unwanted:
            if event.evidence.job:
                self.on_unwanted(task, event.evidence)
            return
        if commands.has_second_step(task) and self._prepares(task, event):
            return
        if isinstance(event, Finished) and self._is_to_be_translated(event):
            self.on_words(task, event)
            return
        self._account.change(task, lifecycle.advance(task, event, self._clock.now()))

    def finish(self, task_id: str, event: Finished) -> None:
        """Take up again what was given to `on_words`."""
        self._apply(task_id, event)

    def _is_to_be_translated(self, event: Finished) -> bool:
        return self.translates and event.words is not None and event.translated is None

    def _prepares(self, task: Task, event: BotEvent) -> bool:
        """Whether a bot event is about a task's first step, which makes nothing to show."""
        if task.sending is not Sending.PREPARING:
            return False
        if commands.is_prepared(task, event):
            self.on_prepared(task, event)
            return True
        return isinstance(event, Waiting | Progress | Removed)


def _interaction(
    event: events.InteractionCreated | events.InteractionSucceeded | events.InteractionFailed,
) -> Evidence:
    return Evidence(nonce=event.nonce, interaction=event.interaction_id)


def _concerns_account(notice: Notice) -> bool:
    return notice.evidence.own and notice.verdict in (Verdict.ACCOUNT_DOWN, Verdict.HUMAN_CHECK)
