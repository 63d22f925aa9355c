"""Brings images to Discord that make no task by themselves, and remembers where they are."""

from collections.abc import Sequence

from athena.clock import Clock
from athena.discord.errors import DiscordError
from athena.engine.choosing import ANY, AccountFilter
from athena.engine.claims import Claims, Once
from athena.engine.pool import Pool
from athena.engine.refusals import NoAnswer
from athena.store.store import Store
from athena.tasks.requests import Upload


class Courier:
    """For all accounts."""

    def __init__(self, store: Store, pool: Pool, claims: Claims, clock: Clock) -> None:
        self._store = store
        self._pool = pool
        self._claims = claims
        self._clock = clock

    async def home(self, name: str) -> AccountFilter | None:
        """The account in whose channel a brought file is, which alone can use it; None of a file
        that is not known, or of no name."""
        account = await self._store.brought(name) if name else None
        return AccountFilter(account=account) if account else None

    async def post_images(self, uploads: Sequence[Upload], once: Once | None = None) -> list[str]:
        """Bring images to Discord; their links.

        Raises:
            NoAccount: nobody can do it now.
            NoAnswer: Discord did not take them.
        """

        async def take() -> list[str]:
            runner, _ = self._pool.choose()
            try:
                links = await runner.sender.post_images(uploads)
            except DiscordError as error:
                raise NoAnswer(str(error)) from error
            if claim := self._claims.claim(once, links):
                await self._store.keep_claim(claim)
            return links

        return await self._claims.settle(once, list[str], take)

    async def bring(self, image: Upload) -> tuple[str, str]:
        """Bring an image to Discord without posting it: its name there, and its place.

        Raises:
            NoAccount, NoAnswer: as `post_images`.
            StoreBroken: it cannot be remembered.
        """
        runner, _ = self._pool.choose()
        try:
            name, place = await runner.sender.bring(image)
        except DiscordError as error:
            raise NoAnswer(str(error)) from error
        await self._store.keep_brought(name, runner.account.id, self._clock.now())
        return name, place

    async def show(self, name: str) -> str:
        """Post an image that was brought to Discord before; its link.

        Raises:
            NoAccount, NoAnswer: as `post_images`; NoAnswer too for a name that is none.
        """
        runner, _ = self._pool.choose(await self.home(name) or ANY)
        try:
            return await runner.sender.show(name)
        except DiscordError as error:
            raise NoAnswer(str(error)) from error
