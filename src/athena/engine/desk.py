"""The desk: where requests come in, whatever dialect they were made in.

Everything that can be refused is refused here, before anything is kept; what is accepted is on
disk when `submit` and `press` return, and from then on it ends in a picture or in a reason.
"""

from collections.abc import Sequence
from functools import partial
from random import Random
from typing import Any

from msgspec import Struct

from athena.clock import Clock
from athena.engine.account import Account
from athena.engine.ids import TaskIds
from athena.engine.pool import Pool, Runner
from athena.engine.refusals import (
    BadRequest,
    BannedWord,
    NoAccount,
    NotSupported,
    UnknownButton,
    UnknownTask,
    WrongState,
)
from athena.midjourney import buttons, prompts
from athena.midjourney.moderation import BannedWords
from athena.store.store import Store
from athena.tasks import lifecycle
from athena.tasks.model import Action, Bot, Keys, Sending, Speed, Status, Task
from athena.tasks.requests import Imagine, Press, Request, Upload


class Wishes(Struct, frozen=True, kw_only=True):
    """What a request may say beside what it asks for."""

    state: str | None = None
    hook: str | None = None
    speed: Speed | None = None
    bot: Bot = Bot.MIDJOURNEY


class Accepted(Struct, frozen=True, kw_only=True):
    """A task that is on disk. `ahead` tasks wait before it; None: a slot is free for it."""

    task: Task
    ahead: int | None


class Desk:
    """Admission to the engine."""

    def __init__(
        self, store: Store, pool: Pool, banned: BannedWords, clock: Clock, random: Random
    ) -> None:
        self.store = store
        self.pool = pool
        self._banned = banned
        self._clock = clock
        self._ids = TaskIds(clock, random)

    async def imagine(
        self, prompt: str, uploads: Sequence[Upload] = (), wishes: Wishes | None = None
    ) -> Accepted:
        """Ask for pictures of a text.

        Raises:
            BadRequest: the prompt cannot work.
            BannedWord: the prompt holds a word that Midjourney refuses.
            NoAccount, QueueFull: nobody can take it.
            StoreBroken: it could not be kept.
        """
        wishes = wishes or Wishes()
        self._check(prompt)
        request = Imagine(prompt=prompt, uploads=len(uploads))
        runner = self.pool.choose()
        task = self._task(
            runner, request, Action.IMAGINE, wishes, prompt=prompt, description=f"/imagine {prompt}"
        )
        return await self._admit(runner, task, uploads)

    async def press(
        self, task_id: str, custom_id: str, wishes: Wishes | None = None, *, description: str = ""
    ) -> Accepted:
        """Press a button of a finished task.

        Raises:
            UnknownTask, WrongState, UnknownButton, NotSupported: it cannot be pressed.
            NoAccount, QueueFull: the account that made the picture cannot take it.
        """
        parent = await self._finished(task_id)
        meaning = _meaning(parent, custom_id)
        runner = self._runner_of(parent)
        request = Press(
            parent=parent.id,
            message=parent.keys.message or "",
            custom_id=custom_id,
            flags=parent.flags,
        )
        action = _action(meaning, parent)
        task = self._task(
            runner,
            request,
            action,
            wishes or Wishes(),
            prompt=parent.prompt,
            description=description or f"/{action.lower()} {parent.id}",
            bot=parent.bot,
            keys=Keys(parent_message=parent.keys.message),
        )
        return await self._admit(runner, task)

    async def press_numbered(
        self, task_id: str, action: Action, index: int | None, wishes: Wishes | None = None
    ) -> Accepted:
        """Press a grid's U, V or reroll button by its meaning.

        Raises:
            UnknownTask, WrongState, UnknownButton, NoAccount, QueueFull: as `press`.
        """
        parent = await self._finished(task_id)
        for button in parent.buttons:
            meaning = buttons.meaning(button.custom_id)
            if meaning.action is action and meaning.index == index:
                description = f"/up {parent.id} {_short(action, index)}"
                return await self.press(task_id, button.custom_id, wishes, description=description)
        raise UnknownButton(f"the task has no button for {_short(action, index)}")

    async def cancel(self, task_id: str) -> Task:
        """End a task that its user no longer wants; its job is cancelled at Midjourney too.

        Raises:
            UnknownTask: no task has this id.
        """
        task = await self.store.find(task_id)
        if task is None:
            raise UnknownTask(task_id)
        runner = self.pool.runner(task.account)
        if task.ended or runner is None:
            return task
        cancelled = lifecycle.cancel(task, self._clock.now())
        stored = runner.account.change(task, cancelled)
        if stored:
            await stored
        self._cancel_job(runner, task)
        return cancelled

    async def find(self, task_id: str) -> Task:
        """A task by its id.

        Raises:
            UnknownTask: no task has this id.
        """
        task = await self.store.find(task_id)
        if task is None:
            raise UnknownTask(task_id)
        return task

    def _check(self, prompt: str) -> None:
        try:
            prompts.check(prompt)
        except prompts.BadPrompt as error:
            raise BadRequest(str(error)) from error
        if word := self._banned.found_in(prompt):
            raise BannedWord(word)

    async def _finished(self, task_id: str) -> Task:
        task = await self.find(task_id)
        if task.status is not Status.SUCCESS:
            raise WrongState(f"task {task_id} is {task.status}, not SUCCESS")
        return task

    def _runner_of(self, parent: Task) -> Runner:
        runner = self.pool.runner(parent.account)
        if runner is None:
            raise NoAccount("the account that made the picture is not configured")
        return runner

    def _task(
        self, runner: Runner, request: Request, action: Action, wishes: Wishes, **fields: Any
    ) -> Task:
        return Task(
            id=self._ids.make(),
            account=runner.account.id,
            request=request,
            action=action,
            state=wishes.state,
            hook=wishes.hook,
            speed=wishes.speed,
            submitted_at=self._clock.now(),
            patience=round(runner.settings.timeout_minutes * 60_000),
            **{"bot": wishes.bot, **fields},
        )

    async def _admit(self, runner: Runner, task: Task, uploads: Sequence[Upload] = ()) -> Accepted:
        """Reserve, store, queue. A caller who goes away meanwhile changes nothing of it."""
        account = runner.account
        ahead = account.reserve()
        await self.store.add(task, uploads, partial(_queue, account, task))
        return Accepted(task=task, ahead=ahead)

    def _cancel_job(self, runner: Runner, task: Task) -> None:
        keys = task.keys
        if task.sending is Sending.SENT and keys.progress_message and keys.job:
            work = runner.cancel_job(task, keys.progress_message, keys.job)
            runner.account.spawn(work)


def _queue(account: Account, task: Task, kept: bool) -> None:
    if kept:
        account.enqueue(task)
    else:
        account.release()


def _meaning(parent: Task, custom_id: str) -> buttons.Meaning:
    if all(button.custom_id != custom_id for button in parent.buttons):
        raise UnknownButton(f"task {parent.id} has no button {custom_id!r}")
    meaning = buttons.meaning(custom_id)
    if not meaning.supported:
        raise NotSupported(f"pressing {custom_id!r} makes no task")
    return meaning


def _action(meaning: buttons.Meaning, parent: Task) -> Action:
    """A reroll is its parent's action again; after an upscale, an imagine (mj-dialect, 4)."""
    if meaning.action is not Action.REROLL:
        return meaning.action or Action.ACTION
    return Action.IMAGINE if parent.action is Action.UPSCALE else parent.action


def _short(action: Action, index: int | None) -> str:
    return {Action.UPSCALE: "U", Action.VARIATION: "V"}.get(action, "R") + str(index or "")
