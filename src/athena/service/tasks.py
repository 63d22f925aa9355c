"""What users do with tasks, whatever API they speak: submit, cancel, ask for a seed, delete.

Everything that can be refused is refused here, before anything is stored. Changes that users make
are saved with compare-and-set: when the account's worker saved first, they are decided again from
the task's current state.
"""

import asyncio
from collections.abc import Callable
from functools import partial

from athena.clock import Clock
from athena.errors import Conflict, StoreUnavailable, WrongState
from athena.service.admission import Admission, with_speed
from athena.service.drafts import TaskDraft
from athena.service.files import FileService
from athena.service.idempotency import IdempotencyKeys
from athena.service.options import Accepted, SubmitOptions
from athena.service.task_queries import TaskQueries
from athena.store.commands import AccountCommands
from athena.store.repository import TaskRepository
from athena.tasks import lifecycle
from athena.tasks.model import Task
from athena.tasks.requests import Describe

_DISK_TIMEOUT = 5.0
"""Seconds for which a caller waits while the disk fails."""


class TaskService:
    """Besides the documented errors, all methods that accept a request raise

    NoAccount, QueueFull: no account can take it.
    StoreUnavailable: it could not be stored.
    """

    def __init__(
        self,
        repository: TaskRepository,
        queries: TaskQueries,
        admission: Admission,
        keys: IdempotencyKeys,
        files: FileService,
        commands: AccountCommands,
        clock: Clock,
    ) -> None:
        self._repository = repository
        self._queries = queries
        self._admission = admission
        self._keys = keys
        self._files = files
        self._commands = commands
        self._clock = clock

    # New tasks

    async def submit(self, draft: TaskDraft, options: SubmitOptions | None = None) -> Accepted:
        """Accept something new.

        Raises:
            BannedWord: its prompt has a word that Midjourney refuses.
        """
        options = options or SubmitOptions()
        self._admission.moderate(draft.prompt or "")
        take = partial(self._submit, draft, options)
        return await self._keys.settle(options.once, Accepted, take)

    # Existing tasks

    async def cancel(self, task_id: str) -> Task:
        """End a task that its user no longer wants; its job is cancelled at Midjourney too, by the
        account's worker, or by its next one.

        Raises:
            UnknownTask: no task has this id.
        """
        now = self._clock.now()
        return await self._change(task_id, lambda task: lifecycle.cancel(task, now))

    async def release(self, task: Task) -> None:
        """Give a task's slot back by hand; the task fails, and a late result is ignored."""
        now, reason = self._clock.now(), "Its slot was released by hand."
        await self._change(task.id, lambda current: lifecycle.fail(current, reason, now))

    async def seed(self, task_id: str) -> str:
        """The seed of a finished task's job; requested from Midjourney the first time.

        Raises:
            UnknownTask, WrongState, NotSupported: there is no seed to ask for.
            NoAnswer: Midjourney did not report it.
        """
        task = await self._queries.finished(task_id)
        if task.seed:
            return task.seed
        seed = await self._commands.seed(task)
        await self._change(
            task_id, lambda each: each if each.seed else lifecycle.with_seed(each, seed)
        )
        return seed

    async def delete(self, task: Task) -> None:
        """Delete a task that has ended, and everything that is stored for it.

        Raises:
            WrongState: it has not ended.
            StoreUnavailable: the disk does not take it.
        """
        if not task.ended:
            raise WrongState(f"task {task.id} is {task.status}: cancel it first")
        await self._repository.remove(task)

    # Parts of these

    async def _submit(self, draft: TaskDraft, options: SubmitOptions) -> Accepted:
        if isinstance(draft.request, Describe) and draft.request.uploaded:
            options = await self._files.bind(draft.request.uploaded, options)
        account, speed = self._admission.choose(options.accounts, options.speed)
        task = self._admission.task(
            account,
            draft.request,
            draft.action,
            with_speed(options, speed or account.settings.mode),
            prompt=draft.prompt,
            description=draft.description,
            bot=draft.bot or options.bot,
        )
        return await self._admission.add(task, draft.uploads, options.once)

    async def _change(self, task_id: str, step: Callable[[Task], Task]) -> Task:
        """Change a task's current state; when another save came first, decide again."""
        while True:
            before = await self._queries.find(task_id)
            after = step(before)
            if after is before:
                return before
            try:
                await self._durable(self._repository.save(before, after))
            except Conflict:
                continue
            return after

    async def _durable(self, stored: "asyncio.Future[None]") -> None:
        """Wait until a change is on disk; while the disk fails, for a limited time.

        Raises:
            StoreUnavailable: it is not there yet.
        """
        try:
            await asyncio.wait_for(asyncio.shield(stored), _DISK_TIMEOUT)
        except TimeoutError:
            why = self._repository.write_error
            raise StoreUnavailable(f"it is not on disk yet: {why}") from None
