"""Admission: a request becomes a stored task of an account, or is refused and leaves nothing.

The checks and the insert happen in one turn of the event loop: the repository counts a task from
the moment in which it is added, so no place is given twice and none has to be reserved or given
back. What is accepted is on disk when `add` returns, and from then on it ends in an image or a
reason.
"""

from collections.abc import Sequence
from random import Random
from typing import Any

from msgspec import structs

from athena.clock import Clock, Millis
from athena.errors import BannedWord, NoAccount, QueueFull, UnknownAccount
from athena.midjourney.moderation import WordList
from athena.service.choosing import Candidate, Chooser, Rule
from athena.service.idempotency import IdempotencyKey, IdempotencyKeys
from athena.service.ids import TaskIds, TriggerIds
from athena.service.options import Accepted, SubmitOptions
from athena.settings import AccountSettings
from athena.store.account_directory import AccountDirectory, AccountState, AccountStatus
from athena.store.repository import TaskRepository
from athena.tasks import lifecycle
from athena.tasks.model import ANY_ACCOUNT, AccountFilter, Action, Speed, Status, Task
from athena.tasks.requests import Imagine, Request, Upload


class Admission:
    """Chooses accounts and stores new tasks. `chooser` follows the operator's rule."""

    def __init__(
        self,
        repository: TaskRepository,
        directory: AccountDirectory,
        keys: IdempotencyKeys,
        banned: WordList,
        clock: Clock,
        random: Random,
    ) -> None:
        self.chooser = Chooser(Rule.BEST_WAIT_IDLE, random)
        self.triggers = TriggerIds(clock)
        self._repository = repository
        self._directory = directory
        self._keys = keys
        self._banned = banned
        self._clock = clock
        self._ids = TaskIds(clock, random)

    def moderate(self, prompt: str) -> None:
        """Refuse a prompt that Midjourney is sure to refuse.

        Raises:
            BannedWord: it has such a word.
        """
        if word := self._banned.found_in(prompt):
            raise BannedWord(word, prompt)

    def choose(
        self, wanted: AccountFilter = ANY_ACCOUNT, speed: Speed | None = None
    ) -> tuple[AccountStatus, Speed | None]:
        """The account that takes a task, and the speed that it is to have.

        Raises:
            NoAccount, QueueFull: as `Chooser.choose`.
        """
        count = self._repository.unfinished_count
        every = (Candidate(each, count(each.id)) for each in self._directory.all())
        return self.chooser.choose(every, wanted, speed)

    def account(self, account_id: str) -> AccountStatus:
        """An account that a request is bound to.

        Raises:
            NoAccount: it is not configured.
        """
        status = self._directory.get(account_id)
        if status is None:
            raise NoAccount("the account that made the image is not configured")
        return status

    def task(
        self,
        account: AccountStatus,
        request: Request,
        action: Action,
        options: SubmitOptions,
        **fields: Any,
    ) -> Task:
        """A new task; `{id}` in its description stands for its id."""
        task_id = self._ids.make()
        description = str(fields.pop("description", ""))
        return Task(
            id=task_id,
            account=account.id,
            accounts=options.accounts,
            request=request,
            action=action,
            description=description.replace("{id}", task_id),
            state=options.state,
            webhook=options.webhook,
            speed=options.speed,
            image_links=options.image_links,
            image_host=options.image_host,
            token=options.token,
            api=options.api,
            trigger=options.trigger or self._tag_for(account, request),
            submitted_at=self._clock.now(),
            idle_timeout=_idle_timeout(account.settings, action),
            relaxed=_is_relaxed(account, options.speed),
            **fields,
        )

    async def add(
        self, task: Task, uploads: Sequence[Upload] = (), key: IdempotencyKey | None = None
    ) -> Accepted:
        """Store a task that is to be sent.

        Raises:
            NoAccount: its account is stopped.
            QueueFull: its account has no room left.
            StoreUnavailable: it could not be stored.
        """
        accepted = Accepted(task=task, ahead=self._ahead(task.account))
        # A caller who goes away cancels this future, not the write.
        await self._repository.add(task, uploads=uploads, claim=self._keys.record(key, accepted))
        return accepted

    async def add_modal(
        self, task: Task, proposal: str, *, remix: bool, key: IdempotencyKey | None = None
    ) -> Accepted:
        """Store a task whose user has to fill in a modal first. It takes no place in the queue;
        `confirm` gives it one.

        Raises:
            QueueFull: too many wait for their modal, of the account or of the token.
            StoreUnavailable: it could not be stored.
        """
        self._check_modals(task)
        opened = lifecycle.open_modal(task, proposal, self._clock.now())
        accepted = Accepted(task=opened, modal=proposal, remix=remix)
        await self._repository.add(opened, claim=self._keys.record(key, accepted))
        return accepted

    async def confirm(
        self,
        task: Task,
        after: Task,
        uploads: Sequence[Upload] = (),
        key: IdempotencyKey | None = None,
    ) -> Accepted:
        """Store that the modal of a task was filled in: it takes a place.

        Raises:
            NoAccount, QueueFull, StoreUnavailable: as `add`; the task stays as it is.
            Conflict: the task was changed meanwhile.
        """
        accepted = Accepted(task=after, ahead=self._ahead(task.account))
        claim = self._keys.record(key, accepted)
        await self._repository.save(task, after, uploads=uploads, claim=claim, retried=False)
        return accepted

    def _ahead(self, account_id: str) -> int | None:
        """How many tasks wait before the next one; None when a slot is free for it."""
        account = self._directory.get(account_id)
        if account is None:
            raise UnknownAccount(account_id)
        if account.state is AccountState.STOPPED:
            raise NoAccount(account.reason)
        unfinished = self._repository.unfinished_count(account_id)
        if unfinished >= account.places:
            raise QueueFull(account_id, account.settings.queue_size)
        ahead = unfinished - account.settings.core_size
        return ahead if ahead >= 0 else None

    def _check_modals(self, task: Task) -> None:
        limit = self.account(task.account).settings.modal_limit
        waiting = [each for each in self._repository.unfinished() if each.status is Status.MODAL]
        of_account = sum(each.account == task.account for each in waiting)
        of_token = sum(each.token == task.token for each in waiting) if task.token else 0
        if max(of_account, of_token) >= limit:
            raise QueueFull(task.account, limit)

    def _tag_for(self, account: AccountStatus, request: Request) -> str | None:
        """Where a bot listens, every prompt carries a tag: the bot sees nothing else of ours."""
        tagged = account.settings.bot_token is not None and isinstance(request, Imagine)
        return self.triggers.make() if tagged else None


def with_speed(options: SubmitOptions, speed: Speed | None) -> SubmitOptions:
    """The options with the speed that was decided."""
    return options if speed is options.speed else structs.replace(options, speed=speed)


def _idle_timeout(settings: AccountSettings, action: Action) -> Millis:
    """How long a job may be silent: videos take their time."""
    usual = settings.timeout_minutes * 60_000
    return round(usual * 2 if action is Action.VIDEO else usual)


def _is_relaxed(account: AccountStatus, speed: Speed | None) -> bool:
    if speed is None:
        return account.profile.mode == "Relaxed"
    return speed is Speed.RELAX
