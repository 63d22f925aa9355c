"""The desk: where requests come in, whatever dialect they were made in.

Everything that can be refused is refused here, before anything is kept; what is accepted is on
disk when a method returns, and from then on it ends in an image or in a reason. A press that
opens a modal is kept as MODAL and takes no place; `confirm` gives it one.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from random import Random
from typing import Any

from msgspec import structs

from athena.accounts.account import Account
from athena.accounts.pool import Pool, Runner
from athena.clock import Clock, Millis
from athena.errors import (
    BadRequest,
    BannedWord,
    NoAccount,
    NotSupported,
    UnknownTask,
    WrongState,
)
from athena.midjourney import buttons, modals, prompts
from athena.midjourney.moderation import WordList
from athena.service import button_actions
from athena.service.button_actions import ButtonAction
from athena.service.drafts import TaskDraft
from athena.service.files import FileUploads
from athena.service.idempotency import IdempotencyKey, IdempotencyKeys
from athena.service.ids import TaskIds, TriggerIds
from athena.service.options import Accepted, SubmitOptions
from athena.settings import AccountSettings
from athena.store.store import Claim, Store
from athena.store.writer import StoreBroken
from athena.tasks import lifecycle
from athena.tasks.model import Action, CorrelationIds, Sending, Speed, Status, Task
from athena.tasks.requests import Describe, Imagine, ModalReply, Press, Request, Upload

_DISK_PATIENCE = 5.0
"""Seconds for which a caller waits for a disk that takes nothing."""


class TaskService:
    """Admission to the engine. Beside what each says, all methods that take a request raise

    NoAccount, QueueFull: nobody can take it.
    StoreBroken: it could not be kept.
    """

    def __init__(
        self, store: Store, pool: Pool, banned: WordList, clock: Clock, random: Random
    ) -> None:
        self.store = store
        self.pool = pool
        self.idempotency = IdempotencyKeys(store, clock)
        self.files = FileUploads(store, pool, self.idempotency, clock)
        self.banned = banned
        self._clock = clock
        self._ids = TaskIds(clock, random)
        self.triggers = TriggerIds(clock)

    async def submit(self, draft: TaskDraft, wishes: SubmitOptions | None = None) -> Accepted:
        """Take an order for something new.

        Raises:
            BannedWord: its prompt holds a word that Midjourney refuses.
        """
        wishes = wishes or SubmitOptions()
        self._moderate(draft.prompt or "")
        if wishes.once is None:
            return await self._submit(draft, wishes)
        return await self._once(wishes, partial(self._submit, draft, wishes))

    async def press(
        self,
        task_id: str,
        custom_id: str,
        wishes: SubmitOptions | None = None,
        *,
        description: str = "",
        remix: bool | None = None,
    ) -> Accepted:
        """Press a button of a finished task. `remix`: whether a modal that Remix opens is to be
        filled in; None leaves it to the account.

        Raises:
            UnknownTask, WrongState, UnknownButton, NotSupported: it cannot be pressed.
        """
        wishes = wishes or SubmitOptions()

        async def take() -> Accepted:
            parent, runner = await self._parent(task_id)
            auto = runner.settings.remix_auto_submit if remix is None else not remix
            profile = runner.account.profile
            pressing = button_actions.of_button(parent, custom_id, profile, auto_submit=auto)
            return await self._press(runner, parent, pressing, wishes, description)

        return await self._once(wishes, take)

    async def press_message(
        self, trigger: str, message_id: str, starts: Sequence[str], wishes: SubmitOptions
    ) -> Accepted:
        """Press a button of an image's message: the one whose id begins in one of these ways. The
        message may be one that no task of ours made.

        Raises:
            BadRequest: there is no such message.
            WrongState, UnknownButton, NotSupported: it cannot be pressed.
        """
        for task in await self.store.by_trigger(trigger):
            if task.ids.message == message_id and task.ended:
                custom_id = button_actions.named(task.buttons, starts)
                return await self.press(task.id, custom_id, wishes)

        async def take() -> Accepted:
            runner, message = await self.pool.look_up(message_id)
            shown = buttons.shown(message)
            pressing = button_actions.of_message(message, button_actions.named(shown, starts))
            return await self._press(runner, None, pressing, wishes, "", message_id)

        return await self._once(wishes, take)

    async def press_numbered(
        self, task_id: str, action: Action, index: int | None, wishes: SubmitOptions | None = None
    ) -> Accepted:
        """Press a grid's U, V or reroll button by its meaning. Raises as `press`."""
        parent = await self._finished(task_id)
        description = f"/up {parent.id} {button_actions.short(action, index)}"
        custom_id = button_actions.numbered(parent, action, index)
        return await self.press(task_id, custom_id, wishes, description=description)

    async def extend(
        self, task_id: str, index: int, motion: str, wishes: SubmitOptions | None = None
    ) -> Accepted:
        """Go on with a video of a finished task; `index` is its place from 0. Raises as `press`."""
        wishes = wishes or SubmitOptions()

        async def take() -> Accepted:
            parent, runner = await self._parent(task_id)
            pressing = button_actions.of_video(parent, index, motion)
            description = f"/extend {parent.id} {index}"
            return await self._press(runner, parent, pressing, wishes, description)

        return await self._once(wishes, take)

    async def confirm(
        self,
        task_id: str,
        prompt: str = "",
        mask: Upload | None = None,
        once: IdempotencyKey | None = None,
    ) -> Accepted:
        """Submit the modal of a MODAL task; an empty prompt leaves what the modal proposes.

        Raises:
            UnknownTask, WrongState: there is no modal to submit.
            BadRequest, BannedWord: what it holds cannot work; the task stays open.
        """
        take = partial(self._confirm, task_id, prompt, mask, once)
        return await self.idempotency.settle(once, Accepted, take)

    async def _confirm(
        self, task_id: str, prompt: str, mask: Upload | None, once: IdempotencyKey | None
    ) -> Accepted:
        task = await self.find(task_id)
        if task.status is not Status.MODAL or not isinstance(task.request, Press):
            raise WrongState(f"task {task_id} is {task.status}, not MODAL")
        reply = ModalReply(prompt=prompt.strip(), mask=mask is not None)
        self._check_reply(task.request.custom_id, reply)
        account = self._runner_of(task).account
        ahead = account.reserve()
        after = lifecycle.confirm(task, task.request, reply)
        masks = [mask] if mask else []
        accepted = Accepted(task=after, ahead=ahead)
        claim = self._claim(once, accepted)
        kept = partial(self._queue, account, after)
        await self.store.save_or_refuse(task, after, masks, kept, claim)
        return accepted

    async def cancel(self, task_id: str) -> Task:
        """End a task that its user no longer wants; its job is cancelled at Midjourney too.

        Raises:
            UnknownTask: no task has this id.
        """
        task = await self.find(task_id)
        runner = self.pool.runner(task.account)
        if task.ended or runner is None:
            return task
        cancelled = lifecycle.cancel(task, self._clock.now())
        stored = runner.account.change(task, cancelled)
        self._cancel_job(runner, task)
        await self._durable(stored)
        return cancelled

    async def seed(self, task_id: str) -> str:
        """The seed of a finished task's job; asked of Midjourney the first time.

        Raises:
            UnknownTask, WrongState, NotSupported: there is no seed to ask for.
            NoAnswer: Midjourney told none.
        """
        task, runner = await self._parent(task_id)
        if task.seed:
            return task.seed
        seed = await runner.seeds.ask(task)
        current = await self.find(task_id)
        if current.seed is None:
            await self.store.save(current, lifecycle.with_seed(current, seed))
        return seed

    async def release(self, task: Task) -> None:
        """Give a task's slot back by hand; the task fails, and what may still come is nobody's."""
        runner = self.pool.runner(task.account)
        if task.ended or runner is None:
            return
        failed = lifecycle.fail(task, "Its slot was released by hand.", self._clock.now())
        await self._durable(runner.account.change(task, failed))

    async def find(self, task_id: str) -> Task:
        """A task by its id.

        Raises:
            UnknownTask: no task has this id.
        """
        task = await self.store.find(task_id)
        if task is None:
            raise UnknownTask(task_id)
        return task

    # Parts of these

    async def _once(
        self, wishes: SubmitOptions, take: Callable[[], Awaitable[Accepted]]
    ) -> Accepted:
        return await self.idempotency.settle(wishes.once, Accepted, take)

    def _claim(self, once: IdempotencyKey | None, accepted: Accepted) -> Claim | None:
        """The answer as it is given when the same is asked for again."""
        if once is None:
            return None
        return self.idempotency.claim(once, structs.replace(accepted, repeated=True))

    async def _submit(self, draft: TaskDraft, wishes: SubmitOptions) -> Accepted:
        uploaded = draft.request.uploaded if isinstance(draft.request, Describe) else ""
        accounts = await self.files.home(uploaded) or wishes.accounts
        runner, speed = self.pool.choose(accounts, wishes.speed)
        speed = speed or runner.settings.mode
        task = self._task(
            runner,
            draft.request,
            draft.action,
            wishes if speed is wishes.speed else structs.replace(wishes, speed=speed),
            prompt=draft.prompt,
            description=draft.description,
            bot=draft.bot or wishes.bot,
        )
        return await self._admit(runner, task, draft.uploads, wishes.once)

    async def _durable(self, stored: "asyncio.Future[None] | None") -> None:
        """Wait until a change is on disk; while the disk takes nothing, not for ever.

        Raises:
            StoreBroken: it is not there yet.
        """
        if stored is None:
            return
        try:
            await asyncio.wait_for(asyncio.shield(stored), _DISK_PATIENCE)
        except TimeoutError:
            raise StoreBroken(f"it is not on disk yet: {self.store.trouble}") from None

    def _check_reply(self, custom_id: str, reply: ModalReply) -> None:
        try:
            modals.check(custom_id, reply)
        except prompts.BadPrompt as error:
            raise BadRequest(str(error)) from error
        self._moderate(reply.prompt)

    def _moderate(self, prompt: str) -> None:
        if word := self.banned.found_in(prompt):
            raise BannedWord(word, prompt)

    async def _parent(self, task_id: str) -> tuple[Task, Runner]:
        parent = await self._finished(task_id)
        return parent, self._runner_of(parent)

    async def _finished(self, task_id: str) -> Task:
        task = await self.find(task_id)
        if task.status is not Status.SUCCESS:
            raise WrongState(f"task {task_id} is {task.status}, not SUCCESS")
        return task

    def _runner_of(self, task: Task) -> Runner:
        runner = self.pool.runner(task.account)
        if runner is None:
            raise NoAccount("the account that made the image is not configured")
        return runner

    async def _press(
        self,
        runner: Runner,
        parent: Task | None,
        pressing: ButtonAction,
        wishes: SubmitOptions,
        description: str,
        message: str | None = None,
    ) -> Accepted:
        """A request that only the account can serve whose message it is."""
        pressed = parent.id if parent else message
        message = parent.ids.message if parent else message
        if pressing.modal is not None and runner.settings.bot_token:
            raise NotSupported("this opens a modal, of which a listening bot hears nothing")
        task = self._task(
            runner,
            pressing.request,
            pressing.action,
            wishes,
            prompt=pressing.prompt,
            description=description or f"/{pressing.action.lower()} {pressed}",
            bot=parent.bot if parent else wishes.bot,
            ids=CorrelationIds(parent_message=message),
        )
        if pressing.modal is None:
            return await self._admit(runner, task, (), wishes.once)
        opened = lifecycle.open_modal(task, pressing.modal, self._clock.now())
        accepted = Accepted(task=opened, modal=pressing.modal, remix=pressing.remix)
        claim = self._claim(wishes.once, accepted)
        await self.store.add(opened, (), partial(self._place, opened), claim)
        return accepted

    def _task(
        self, runner: Runner, request: Request, action: Action, wishes: SubmitOptions, **fields: Any
    ) -> Task:
        task_id = self._ids.make()
        description = str(fields.pop("description", ""))
        return Task(
            id=task_id,
            account=runner.account.id,
            request=request,
            action=action,
            description=description.replace("{id}", task_id),
            state=wishes.state,
            webhook=wishes.webhook,
            speed=wishes.speed,
            image_links=wishes.image_links,
            image_host=wishes.image_host,
            token=wishes.token,
            api=wishes.api,
            trigger=wishes.trigger or self._mark_for(runner, request),
            submitted_at=self._clock.now(),
            idle_timeout=_patience(runner.settings, action),
            relaxed=_is_relaxed(runner, wishes.speed),
            **fields,
        )

    def _mark_for(self, runner: Runner, request: Request) -> str | None:
        """Where a bot listens, every prompt is marked: it sees nothing else of ours."""
        marks = runner.settings.bot_token is not None and isinstance(request, Imagine)
        return self.triggers.make() if marks else None

    async def _admit(
        self, runner: Runner, task: Task, uploads: Sequence[Upload], once: IdempotencyKey | None
    ) -> Accepted:
        """Reserve, store, queue. A caller who goes away meanwhile changes nothing of it."""
        account = runner.account
        accepted = Accepted(task=task, ahead=account.reserve())
        claim = self._claim(once, accepted)
        await self.store.add(task, uploads, partial(self._queue, account, task), claim)
        return accepted

    def _queue(self, account: Account, task: Task, kept: bool) -> None:
        """The task of a reserved place is on disk, or could not be kept. Its account may have been
        started anew meanwhile, so the pool is asked whose it is."""
        account.release()
        self._place(task, kept)

    def _place(self, task: Task, kept: bool) -> None:
        current = self.store.held(task.id) or task
        if kept and not current.ended:
            self.pool.resume([current])

    def _cancel_job(self, runner: Runner, task: Task) -> None:
        keys = task.ids
        if task.sending is Sending.SENT and keys.progress_message and keys.job:
            work = runner.cancel_job(task, keys.progress_message, keys.job)
            runner.account.spawn(work)


def _patience(settings: AccountSettings, action: Action) -> Millis:
    """How long a job may be silent: videos take their time."""
    usual = settings.timeout_minutes * 60_000
    return round(usual * 2 if action is Action.VIDEO else usual)


def _is_relaxed(runner: Runner, speed: Speed | None) -> bool:
    if speed is None:
        return runner.account.profile.mode == "Relaxed"
    return speed is Speed.RELAX
