"""Sends a task as one interaction, once.

The order of steps ensures that. The nonce and the state "sending" are on disk before the POST. Any
refusal means that there is no interaction, so the task may be sent again or fail with Discord's
reason. When no answer arrives, the task stays "sending": then only the bot's messages can decide,
and nothing is sent twice on a guess.

If a first step creates no job yet (see `midjourney.commands`), the state is "preparing" and the
step may be repeated: a modal that does not open, or has expired, is opened again.

Every step is an `Attempt`, which knows the nonce that the task has while the attempt is valid. When
the task was cancelled, moved to another account, deleted or restarted during an upload or a rate
limit, the attempt is superseded: it sends nothing and changes nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import structlog
from msgspec import Struct

from athena.accounts.interactor import Interactor
from athena.accounts.ownership import OwnedTasks, Step
from athena.accounts.prompt_translation import PromptTranslation
from athena.accounts.status import WorkerStatus
from athena.clock import Clock
from athena.discord.errors import (
    DiscordError,
    Forbidden,
    HumanCheckRequired,
    OutcomeUnknown,
    RateLimited,
    ServerFault,
    Unauthorized,
    UnknownObject,
    Unreachable,
    VerificationRequired,
)
from athena.discord.interactions import InteractionContext
from athena.discord.wire import ModalCreate
from athena.errors import Conflict
from athena.midjourney import commands, modals, prompts
from athena.store.repository import TaskRepository
from athena.tasks import lifecycle
from athena.tasks.bot_events import BotEvent
from athena.tasks.model import Millis, Sending, Task
from athena.tasks.requests import ModalReply, Press

log = structlog.get_logger(__name__)

_PAUSE: Millis = 5_000
"""Before a task is sent again after Discord was out of reach; doubles each time."""

_NO_MASK = "This button opens an editor, which needs a mask."

Act = Callable[[], Awaitable[None]]
"""Something done at Discord."""

Begin = Callable[[Task, str, Millis], Task]


class Superseded(Exception):
    """The task has changed since the attempt began."""


class Attempt(Struct):
    """One try to carry out a step of a task."""

    task: Task
    """As it was when the attempt began."""
    nonce: str | None
    """The task has it for as long as this attempt is valid."""


class Sender:
    """Sends the tasks of one account."""

    def __init__(
        self,
        status: WorkerStatus,
        tasks: OwnedTasks,
        interactor: Interactor,
        repository: TaskRepository,
        translation: PromptTranslation,
        clock: Clock,
    ) -> None:
        self._status = status
        self._tasks = tasks
        self._interactor = interactor
        self._repository = repository
        self._translation = translation
        self._clock = clock
        self._going_on: set[tuple[str, str | None]] = set()
        """Tasks whose second step is being taken, and the nonce of their first: what tells of it
        may come twice."""

    async def send(self, task: Task) -> None:
        """Send a task to Discord and save the outcome."""
        task = await self._in_english(task)
        attempt = Attempt(task, task.ids.nonce)

        async def first() -> None:
            if preparation := commands.preparation(task):
                await self._act(attempt, preparation, lifecycle.begin_preparing)
                return
            links = await self._interactor.image_links(task)
            await self._act(attempt, commands.interaction(task, links), lifecycle.begin_sending)

        await self._try(attempt, first)

    async def go_on(self, task: Task, event: BotEvent) -> None:
        """Carry out the second step of a task; `event` answered the first."""
        attempt = Attempt(task, task.ids.nonce)

        async def second() -> None:
            interaction = commands.following(task, event)
            pressed = None
            if isinstance(interaction, commands.PressButton):
                pressed = interaction.message
            await self._act(attempt, interaction, partial(lifecycle.begin_sending, pressed=pressed))

        if self._counts(attempt) and task.sending is Sending.PREPARING:
            await self._once(attempt, second)

    async def answer(self, task: Task, modal: ModalCreate) -> None:
        """Submit the modal that a task's button opened, as its user filled it in or unchanged."""
        attempt = Attempt(task, None if modal.nonce is None else str(modal.nonce))
        token = modals.page_token(modal)

        async def submit() -> None:
            if token:
                await self._submit_page(attempt, token)
            else:
                await self._submit_inputs(attempt, modal)

        if self._counts(attempt) and not (token and self._is_replied(task)):
            await self._once(attempt, submit)

    async def press(self, message: str, custom_id: str, application: str) -> None:
        """Press a button that creates no task, such as Cancel Job."""
        button = commands.PressButton(application=application, message=message, custom_id=custom_id)
        await self._interactor.press(button, self._interactor.nonce())

    async def use(
        self, command: commands.UseCommand, context: InteractionContext | None = None
    ) -> None:
        """Use a command that creates no task, such as `/info`, here or elsewhere."""
        await self._interactor.use(command, self._interactor.nonce(), (), context)

    # Steps

    def _counts(self, attempt: Attempt) -> bool:
        """Whether this attempt is still valid."""
        current = self._tasks.current(attempt.task.id)
        return current is not None and not current.ended and current.ids.nonce == attempt.nonce

    def _is_replied(self, task: Task) -> bool:
        """Whether the task's iframe modal was submitted already. It has the nonce of the button
        that opened it, so the nonce does not show that, and the event may arrive twice."""
        current = self._tasks.current(task.id) or task
        return _reply(current) is not None and current.sending is not Sending.PREPARING

    async def _once(self, attempt: Attempt, act: Act) -> None:
        first = attempt.task.id, attempt.nonce
        if first in self._going_on:
            return
        self._going_on.add(first)
        try:
            await self._try(attempt, act)
        finally:
            self._going_on.discard(first)

    async def _try(self, attempt: Attempt, act: Act) -> None:
        try:
            await act()
        except Superseded:
            log.info("task.superseded", task=attempt.task.id)
            self._advance(attempt, lifecycle.job_cancelled)
        except OutcomeUnknown as error:
            self._uncertain(attempt, error)
        except DiscordError as error:
            self._refused(attempt, error)
        except commands.CannotFollow as error:
            self._fail(attempt, str(error))
        except Exception as error:
            log.exception("task.send_failed", task=attempt.task.id, account=self._tasks.account)
            self._fail(attempt, f"Athena could not send it: {type(error).__name__}")
        else:
            now = self._clock.now()
            self._advance(attempt, lambda current: lifecycle.mark_sent(current, now))

    async def _act(self, attempt: Attempt, interaction: commands.Interaction, begin: Begin) -> None:
        """Upload what the interaction needs, save that it is being sent, and send it."""
        attachments = await self._interactor.attachments(attempt.task, interaction)
        nonce = self._interactor.nonce()
        await self._mark(attempt, begin, nonce)
        await self._interactor.act(interaction, nonce, attachments)

    async def _submit_inputs(self, attempt: Attempt, modal: ModalCreate) -> None:
        nonce = self._interactor.nonce()
        await self._mark(attempt, lifecycle.begin_sending, nonce)
        task = attempt.task
        inputs = modals.filled(modal, _reply(task), task.speed)
        await self._interactor.submit_modal(modal, inputs, nonce)

    async def _submit_page(self, attempt: Attempt, token: str) -> None:
        """The job of an iframe modal answers the button itself, so the button's nonce stays."""
        task, reply = attempt.task, _reply(attempt.task)
        if reply is None or not reply.mask:
            raise commands.CannotFollow(_NO_MASK)
        (mask,) = await self._repository.uploads(task.id)
        await self._mark(attempt, lifecycle.begin_sending, task.ids.nonce or "")
        prompt = prompts.with_speed(reply.prompt or task.prompt or "", task.speed)
        await self._interactor.submit_region(token, mask.data, prompt)

    async def _in_english(self, task: Task) -> Task:
        english = await self._translation.english(task)
        if english is task or self._tasks.current(task.id) is not task:
            return task
        self._tasks.apply(task.id, lambda _: english)
        return english

    async def _mark(self, attempt: Attempt, begin: Begin, nonce: str) -> None:
        """Save what is about to be done. This may wait for a failing disk, during which the task
        can change.

        Raises:
            Superseded: the attempt is no longer valid.
        """
        if not self._counts(attempt):
            raise Superseded
        now = self._clock.now()
        attempt.nonce = nonce
        if stored := self._tasks.apply(attempt.task.id, lambda each: begin(each, nonce, now)):
            await _superseded_by_conflict(stored)
        if not self._counts(attempt):
            raise Superseded

    # Outcomes

    def _uncertain(self, attempt: Attempt, error: OutcomeUnknown) -> None:
        """After a lost answer to an interaction the task stays "sending". A lost answer to an
        upload before it does no harm: the task is still unsent and is sent later."""
        log.warning("task.outcome_unknown", task=attempt.task.id)
        current = self._tasks.current(attempt.task.id)
        if current is not None and current.sending is Sending.NOT_SENT:
            self._refused(attempt, Unreachable(str(error)))

    def _refused(self, attempt: Attempt, error: DiscordError) -> None:
        """Discord refused, so there is no interaction. The task goes back to the queue before the
        account is stopped, so that other accounts can take it."""
        log.warning("task.refused", task=attempt.task.id, error=type(error).__name__)
        self._advance(attempt, lifecycle.job_cancelled)
        may_try = attempt.task.tries < lifecycle.MAX_TRIES
        match error:
            case Unauthorized() | HumanCheckRequired() | VerificationRequired() | Forbidden():
                self._put_back(attempt, _PAUSE)
                self._status.stop(str(error))
            case RateLimited() | ServerFault() | Unreachable() if may_try:
                self._put_back(attempt, _PAUSE)
            case UnknownObject() if may_try and self._has_modal(attempt):
                self._put_back(attempt, 0)
            case _:
                self._fail(attempt, str(error))

    def _has_modal(self, attempt: Attempt) -> bool:
        """Whether it was a modal that had expired: it can be opened again."""
        current = self._tasks.current(attempt.task.id) or attempt.task
        return _reply(attempt.task) is not None and current.sending is Sending.SENDING

    def _put_back(self, attempt: Attempt, pause: Millis) -> None:
        now = self._clock.now()
        self._advance(attempt, lambda current: lifecycle.put_back(current, now, pause))

    def _fail(self, attempt: Attempt, reason: str) -> None:
        now = self._clock.now()
        self._advance(attempt, lambda current: lifecycle.fail(current, reason, now))

    def _advance(self, attempt: Attempt, step: Step) -> None:
        """Take a step of the state machine, if the attempt is still valid."""

        def if_it_counts(current: Task) -> Task:
            return step(current) if current.ids.nonce == attempt.nonce else current

        self._tasks.apply(attempt.task.id, if_it_counts)


async def _superseded_by_conflict(stored: "asyncio.Future[None]") -> None:
    try:
        await stored
    except Conflict as error:
        raise Superseded from error


def _reply(task: Task) -> ModalReply | None:
    """What is entered into the modal that the task's button opens."""
    return task.request.reply if isinstance(task.request, Press) else None
