"""One account at work: its parts, put together, and the loops that run them."""

from random import Random

from msgspec import Struct

from athena.accounts.channel_cursor import ChannelCursor
from athena.accounts.connection import Connection
from athena.accounts.dispatcher import Dispatcher
from athena.accounts.interactor import Interactor
from athena.accounts.ownership import OwnedTasks
from athena.accounts.prompt_translation import PromptTranslation
from athena.accounts.queue import TaskQueue
from athena.accounts.reactions import AccountReactions
from athena.accounts.receiver import Receiver
from athena.accounts.recovery import Recovery
from athena.accounts.refresher import AccountRefresher
from athena.accounts.seeds import Seeds
from athena.accounts.sender import Sender
from athena.accounts.session import AccountSession
from athena.accounts.status import WorkerStatus
from athena.accounts.unknown_forms import UnknownForms
from athena.accounts.watchdog import PAUSE, Watchdog
from athena.clock import Clock
from athena.discord.http_sessions import HttpSessions
from athena.discord.pacing import IdentifyPacer
from athena.midjourney import commands, prompts
from athena.settings import AccountSettings, DiscordSettings
from athena.store.account_directory import AccountDirectory
from athena.store.changes import Change
from athena.store.repository import TaskRepository
from athena.supervision import Supervisor
from athena.tasks import lifecycle
from athena.tasks.matching import TaskIndex
from athena.tasks.model import Sending, Task

_DISABLED = "The account is disabled."


class WorkerEnvironment(Struct, frozen=True, kw_only=True):
    """What all workers of a process share."""

    repository: TaskRepository
    directory: AccountDirectory
    discord: DiscordSettings
    http: HttpSessions
    pacer: IdentifyPacer
    translation: PromptTranslation
    unknown_forms: UnknownForms
    clock: Clock
    random: Random


class AccountWorker:
    """Works for one account from `start` to `close`."""

    def __init__(
        self, settings: AccountSettings, environment: WorkerEnvironment, cursor: str | None
    ) -> None:
        env, clock = environment, environment.clock
        self._clock = clock
        self._supervisor = Supervisor(settings.channel_id, clock, env.random, self._report_problems)
        index = TaskIndex(prompts.normalized)
        queue = TaskQueue(index, commands.expected)
        self.tasks = OwnedTasks(settings.channel_id, env.repository, queue, clock)
        self.status = WorkerStatus(settings, env.directory, self.tasks.changed.set)
        self.connection = Connection(env.http, env.discord, settings, clock, env.random, env.pacer)
        self.interactor = Interactor(self.connection, env.repository)
        self.sender = Sender(
            self.status, self.tasks, self.interactor, env.repository, env.translation, clock
        )
        self.seeds = Seeds(self.connection, self.sender, clock)
        self.refresher = AccountRefresher(self.status, self.sender, clock, env.random)
        self._reactions = AccountReactions(
            self.status, self.tasks, self.connection, self.sender, self.seeds, self.refresher,
            env.translation, self._supervisor, clock,
        )  # fmt: skip
        self._cursor = ChannelCursor(settings.channel_id, cursor, env.repository, clock)
        self.receiver = Receiver(
            self.status, self.tasks, index, self.connection, self._reactions, clock,
            env.unknown_forms, self._cursor,
        )  # fmt: skip
        self._recovery = Recovery(self.tasks, self.connection, self.receiver, clock, env.random)
        self._session = AccountSession(
            self.status, self.connection, self.receiver, self._recovery, self.refresher,
            self._supervisor,
        )  # fmt: skip
        self._dispatcher = Dispatcher(self.status, self.tasks, self.sender, self._supervisor, clock)
        self._watchdog = Watchdog(
            self.status, self.tasks, self._recovery, self._reactions.translating, clock
        )

    @property
    def settings(self) -> AccountSettings:
        return self.status.settings

    def start(self) -> None:
        """Take up the account's stored tasks and begin to work. A disabled account connects to
        nothing, but its deadlines are kept."""
        self._take_up()
        supervisor = self._supervisor
        supervisor.periodic("watchdog", lambda: PAUSE, self._watchdog.turn)
        if not self.settings.enable:
            self.status.stop(_DISABLED)
            return
        self.status.publish()
        supervisor.start("session", self._session.run)
        supervisor.start("dispatcher", self._dispatcher.run)
        supervisor.periodic("refresher", self.refresher.pause, self.refresher.turn)

    async def close(self) -> str:
        """Let commands on their way arrive, then end; the cursor of the channel."""
        self.status.go_offline()
        await self._dispatcher.drain()
        await self._supervisor.close()
        self._cursor.save()
        return self._cursor.newest

    def follow(self, change: Change) -> None:
        """A task that is or was this account's has changed."""
        before, after = change.before, change.after
        task = after or before
        if task is None:
            return
        own = after if after is not None and after.account == self.status.account else None
        self.tasks.follow(task.id, own)
        if own is not None and before is not None and own.cancel_job and not before.ended:
            self._reactions.task_cancelled(before, own)

    def _take_up(self) -> None:
        self.tasks.load()
        for task in self.tasks.unfinished():
            if task.sending is Sending.PREPARING:
                self._take_again(task)
        for task in self.tasks.recent():
            if task.cancel_job:
                self._reactions.task_cancelled(task, task)

    def _take_again(self, task: Task) -> None:
        """A first step that was cut off made nothing: it is taken again."""
        now = self._clock.now()
        self.tasks.apply(task.id, lambda current: lifecycle.unsend(current, now))

    def _report_problems(self, errors: dict[str, str]) -> None:
        """What fails is seen in the account's state."""
        self.status.note_problem("; ".join(f"{name}: {why}" for name, why in errors.items()))
