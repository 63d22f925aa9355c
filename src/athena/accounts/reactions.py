"""What an account does after an event, besides changing the event's task."""

import structlog
from msgspec.structs import replace

from athena.accounts.connection import Connection
from athena.accounts.ownership import OwnedTasks
from athena.accounts.prompt_translation import PromptTranslation
from athena.accounts.refresher import AccountRefresher
from athena.accounts.seeds import Seeds
from athena.accounts.sender import Sender
from athena.accounts.status import WorkerStatus
from athena.clock import Clock
from athena.discord.errors import DiscordError
from athena.discord.wire import ModalCreate
from athena.midjourney import buttons, commands, notices
from athena.supervision import Supervisor
from athena.tasks import lifecycle
from athena.tasks.bot_events import BotEvent, Evidence, Finished, Notice, Profile, Verdict
from athena.tasks.model import Sending, Task
from athena.tasks.requests import Press

log = structlog.get_logger(__name__)


class AccountReactions:
    """The reactions of one account. Everything that takes time runs in the background."""

    def __init__(
        self,
        status: WorkerStatus,
        tasks: OwnedTasks,
        connection: Connection,
        sender: Sender,
        seeds: Seeds,
        refresher: AccountRefresher,
        translation: PromptTranslation,
        supervisor: Supervisor,
        clock: Clock,
    ) -> None:
        self.translating: set[str] = set()
        """Tasks whose result was read and is being translated."""
        self._status = status
        self._tasks = tasks
        self._connection = connection
        self._sender = sender
        self._seeds = seeds
        self._refresher = refresher
        self._translation = translation
        self._supervisor = supervisor
        self._clock = clock

    def account_notice(self, notice: Notice) -> None:
        """Switch to relaxed mode, or stop until the account's owner has acted."""
        if notices.is_exhausted(notice.title) and self._refresher.may_relax():
            self._supervisor.spawn("relax", self._refresher.relax())
            return
        where = f" See {self._channel_link}" if notice.verdict is Verdict.HUMAN_CHECK else ""
        self._status.stop(f"Midjourney: {notice.reason}{where}")

    def orphan_found(self, task: Task, evidence: Evidence) -> None:
        """Cancel the job that came late."""
        if evidence.message and evidence.job:
            self._cancel(task, evidence.message, evidence.job)
        self._tasks.apply(task.id, lifecycle.job_cancelled)

    def task_cancelled(self, before: Task, after: Task) -> None:
        """A user cancelled a task: its job, if it is known, is cancelled too."""
        ids = after.ids
        if not after.cancel_job or ids.job is None:
            return
        if before.sending is Sending.SENT and ids.progress_message:
            self._cancel(after, ids.progress_message, ids.job)
        self._tasks.apply(after.id, lifecycle.job_cancelled)

    def modal_opened(self, task: Task, modal: ModalCreate) -> None:
        """Submit it."""
        if isinstance(task.request, Press) and task.request.reply is None:
            # An unexpected modal: the account has Remix on.
            self._status.learn(Profile(remix=True), task.bot)
        self._supervisor.spawn("answer_modal", self._sender.answer(task, modal))

    def prepared(self, task: Task, event: BotEvent) -> None:
        """Take the second step."""
        self._supervisor.spawn("second_step", self._sender.go_on(task, event))

    def seed_told(self, job: str, seed: str) -> None:
        self._seeds.told(job, seed)

    def job_shown(self, job: str, channel: str, message: str) -> None:
        self._seeds.shown(job, channel, message)

    def text_finished(self, task: Task, event: Finished) -> bool:
        """Translate a text result, once; the task ends with or without the translation."""
        to_translate = event.text is not None and event.translated is None
        if not to_translate or not self._translation.is_configured:
            return False
        if task.id not in self.translating:
            self.translating.add(task.id)
            self._supervisor.spawn("translate", self._translate(task.id, event))
        return True

    async def _translate(self, task_id: str, event: Finished) -> None:
        try:
            translated = await self._translation.chinese(event.text or "")
        finally:
            self.translating.discard(task_id)
        finished = replace(event, translated=translated or "")
        now = self._clock.now()
        self._tasks.apply(task_id, lambda current: lifecycle.advance(current, finished, now))

    def _cancel(self, task: Task, message: str, job: str) -> None:
        self._supervisor.spawn("cancel_job", self._cancel_job(task, message, job))

    async def _cancel_job(self, task: Task, message: str, job: str) -> None:
        """Cancel a running job at Midjourney; an ended job is no error."""
        application = commands.APPLICATIONS[task.bot]
        try:
            await self._sender.press(message, buttons.cancel_button(job), application)
        except DiscordError as error:
            log.info("job.not_cancelled", task=task.id, error=type(error).__name__)

    @property
    def _channel_link(self) -> str:
        connection = self._connection
        return f"https://discord.com/channels/{connection.guild_id}/{connection.channel_id}"
