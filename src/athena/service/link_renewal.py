"""Discord's links die after a day; before they do, they are renewed (discord-wire, section 5).

Renewing needs a signed-in account: the task's own, or any other that works. Those that are asked
for in one moment are renewed in one call.
"""

from collections.abc import Sequence
from urllib.parse import parse_qs, urlsplit

import structlog
from msgspec.structs import replace

from athena.accounts.pool import Pool
from athena.clock import Clock
from athena.discord.errors import DiscordError
from athena.store.store import Store
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

    def __init__(self, store: Store, pool: Pool, clock: Clock) -> None:
        self._store = store
        self._pool = pool
        self._clock = clock

    def is_stale(self, task: Task) -> bool:
        """Whether a task's link is near its end."""
        until = fresh_until(task)
        return until is not None and self._clock.now() >= until

    async def renewed(self, tasks: Sequence[Task]) -> list[Task]:
        """The same tasks with links that live; one that cannot be renewed keeps its old link."""
        stale = [task for task in tasks if self.is_stale(task)]
        fresh: dict[str, Task] = {}
        for start in range(0, len(stale), _MOST):
            fresh |= await self._renew(stale[start : start + _MOST])
        return [fresh.get(task.id, task) for task in tasks]

    async def _renew(self, tasks: Sequence[Task]) -> dict[str, Task]:
        links = await self._asked(tasks)
        renewed: dict[str, Task] = {}
        for task in tasks:
            image = task.image
            if image and (link := links.get(image.url)):
                renewed[task.id] = await self._kept(task, replace(image, url=link))
        return renewed

    async def _asked(self, tasks: Sequence[Task]) -> dict[str, str]:
        urls = [task.image.url for task in tasks if task.image]
        for rest in self._pool.lines(task.account for task in tasks):
            try:
                return await rest.refresh_urls(urls)
            except DiscordError as error:
                log.warning("links.renewal_failed", links=len(urls), error=type(error).__name__)
        return {}

    async def _kept(self, task: Task, image: Image) -> Task:
        current = self._store.held(task.id) or task
        if current.image is None or current.image.filename != image.filename:
            return current
        after = lifecycle.with_image(current, image)
        await self._store.save(current, after)
        return after
