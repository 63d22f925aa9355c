"""Brings images to Discord that make no task by themselves, and remembers where they are."""

from collections.abc import Sequence

from athena.accounts.pool import Pool
from athena.clock import Clock
from athena.discord.errors import DiscordError
from athena.errors import NoAnswer
from athena.service.choosing import ANY, AccountFilter
from athena.service.idempotency import IdempotencyKey, IdempotencyKeys
from athena.store.store import Store
from athena.tasks.requests import Upload


class FileUploads:
    """For all accounts."""

    def __init__(self, store: Store, pool: Pool, claims: IdempotencyKeys, clock: Clock) -> None:
        self._store = store
        self._pool = pool
        self._idempotency = claims
        self._clock = clock

    async def home(self, name: str) -> AccountFilter | None:
        """The account in whose channel a uploaded file is, which alone can use it; None of a file
        that is not known, or of no name."""
        account = await self._store.uploaded(name) if name else None
        return AccountFilter(account=account) if account else None

    async def post_images(
        self, uploads: Sequence[Upload], once: IdempotencyKey | None = None
    ) -> list[str]:
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
            if claim := self._idempotency.claim(once, links):
                await self._store.keep_claim(claim)
            return links

        return await self._idempotency.settle(once, list[str], take)

    async def upload(self, image: Upload) -> tuple[str, str]:
        """Bring an image to Discord without posting it: its name there, and its place.

        Raises:
            NoAccount, NoAnswer: as `post_images`.
            StoreBroken: it cannot be remembered.
        """
        runner, _ = self._pool.choose()
        try:
            name, place = await runner.sender.upload(image)
        except DiscordError as error:
            raise NoAnswer(str(error)) from error
        await self._store.keep_brought(name, runner.account.id, self._clock.now())
        return name, place

    async def show(self, name: str) -> str:
        """Post an image that was uploaded to Discord before; its link.

        Raises:
            NoAccount, NoAnswer: as `post_images`; NoAnswer too for a name that is none.
        """
        runner, _ = self._pool.choose(await self.home(name) or ANY)
        try:
            return await runner.sender.show(name)
        except DiscordError as error:
            raise NoAnswer(str(error)) from error
