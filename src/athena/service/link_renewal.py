"""Discord's links expire after a day; they are renewed before that (discord-wire, section 5).

Renewing needs a signed-in account: the task's own, or any other that works. Links that are
requested at the same time are renewed in one call.
"""

from collections.abc import Iterator, Sequence
from urllib.parse import parse_qs, urlsplit

import structlog
from msgspec.structs import replace

from athena.clock import Clock
from athena.errors import Conflict, NoAccount, NoAnswer, StoreUnavailable, UnknownTask
from athena.store.account_directory import AccountDirectory, AccountState
from athena.store.commands import AccountCommands
from athena.store.repository import TaskRepository
from athena.tasks import lifecycle
from athena.tasks.model import Image, Millis, Task

log = structlog.get_logger(__name__)

_MOST = 50
"""Links in one call."""

_EARLY: Millis = 60 * 60 * 1000
"""How long before its end a link is renewed, if it lives longer than twice that."""


def dies_at(url: str) -> tuple[Millis, Millis] | None:
    """When a link was signed, and when it ends; None for one that does not say."""
    query = parse_qs(urlsplit(url).query)
    try:
        return int(query["is"][0], 16) * 1000, int(query["ex"][0], 16) * 1000
    except (KeyError, ValueError):
        return None


def fresh_until(task: Task) -> Millis | None:
    """Until when a task's link can be given out; None: for ever."""
    span = dies_at(task.image.url) if task.image else None
    if span is None:
        return None
    since, end = span
    return end - min(_EARLY, (end - since) // 2)


class LinkRenewal:
    """Renews the links of tasks."""

    def __init__(
        self,
        repository: TaskRepository,
        directory: AccountDirectory,
        commands: AccountCommands,
        clock: Clock,
    ) -> None:
        self._repository = repository
        self._directory = directory
        self._commands = commands
        self._clock = clock

    def is_stale(self, task: Task) -> bool:
        """Whether a task's link is near its end."""
        until = fresh_until(task)
        return until is not None and self._clock.now() >= until

    async def renewed(self, tasks: Sequence[Task]) -> list[Task]:
        """The same tasks with valid links. One that cannot be renewed keeps its old link; one that
        has been deleted is left out."""
        stale = [task for task in tasks if self.is_stale(task)]
        fresh: dict[str, Task | None] = {}
        for start in range(0, len(stale), _MOST):
            fresh |= await self._renew(stale[start : start + _MOST])
        every = (fresh.get(task.id, task) for task in tasks)
        return [task for task in every if task is not None]

    async def one(self, task: Task) -> Task:
        """A task with a valid link.

        Raises:
            UnknownTask: it was deleted meanwhile.
        """
        for fresh in await self.renewed([task]):
            return fresh
        raise UnknownTask(task.id)

    async def _renew(self, tasks: Sequence[Task]) -> dict[str, Task | None]:
        links = await self._ask(tasks)
        renewed: dict[str, Task | None] = {}
        for task in tasks:
            if task.image and (link := links.get(task.image.url)):
                renewed[task.id] = await self._save(task, replace(task.image, url=link))
        return renewed

    async def _ask(self, tasks: Sequence[Task]) -> dict[str, str]:
        urls = [task.image.url for task in tasks if task.image]
        for account in self._accounts(tasks):
            try:
                return await self._commands.refresh_urls(account, urls)
            except (NoAccount, NoAnswer) as error:
                log.warning("links.renewal_failed", links=len(urls), error=str(error))
        return {}

    def _accounts(self, tasks: Sequence[Task]) -> Iterator[str]:
        """Accounts that can renew: those of the tasks first, without stopped ones."""
        every = [*(task.account for task in tasks), *(each.id for each in self._directory.all())]
        for account in dict.fromkeys(every):
            status = self._directory.get(account)
            if status and status.state is not AccountState.STOPPED:
                yield account

    async def _save(self, task: Task, image: Image) -> Task | None:
        """The task with the renewed link, as it is now; None when it was deleted meanwhile. A link
        for an image that was replaced meanwhile is not kept. Nobody waits for a disk that takes
        nothing: there the link is given out and asked for again."""
        while current := await self._repository.find(task.id):
            if current.image is None or current.image.filename != image.filename:
                return current
            after = lifecycle.with_image(current, image)
            try:
                await self._repository.save(current, after, retried=False)
            except Conflict:
                continue
            except StoreUnavailable as error:
                log.warning("links.not_kept", task=task.id, error=str(error))
                return replace(current, image=image)
            return after
        return None
