"""Brings pictures to Discord that make no task by themselves, and remembers where they are."""

from collections.abc import Sequence

from athena.discord.errors import DiscordError
from athena.engine.choosing import AccountFilter
from athena.engine.claims import Claims, Once
from athena.engine.pool import Pool
from athena.engine.refusals import NoAnswer
from athena.store.store import Store
from athena.tasks.requests import Upload

_MOST_BROUGHT = 10_000


class Courier:
    """For all accounts."""

    def __init__(self, store: Store, pool: Pool, claims: Claims) -> None:
        self._store = store
        self._pool = pool
        self._claims = claims
        self._brought: dict[str, str] = {}
        """Files at Discord, by their names there, and whose channel they are in."""

    def home(self, name: str) -> str | None:
        """The account in whose channel a brought file is."""
        return self._brought.get(name)

    async def post_pictures(self, uploads: Sequence[Upload], once: Once | None = None) -> list[str]:
        """Bring pictures to Discord; their links.

        Raises:
            NoAccount: nobody can do it now.
            NoAnswer: Discord did not take them.
        """

        async def take() -> list[str]:
            runner, _ = self._pool.choose()
            try:
                links = await runner.sender.post_pictures(uploads)
            except DiscordError as error:
                raise NoAnswer(str(error)) from error
            if claim := self._claims.claim(once, links):
                await self._store.keep_claim(claim)
            return links

        return await self._claims.settle(once, list[str], take)

    async def bring(self, picture: Upload) -> tuple[str, str]:
        """Bring a picture to Discord without posting it: its name there, and its place.

        Raises:
            NoAccount, NoAnswer: as `post_pictures`.
        """
        runner, _ = self._pool.choose()
        try:
            name, place = await runner.sender.bring(picture)
        except DiscordError as error:
            raise NoAnswer(str(error)) from error
        self._brought[name] = runner.account.id
        if len(self._brought) > _MOST_BROUGHT:
            del self._brought[next(iter(self._brought))]
        return name, place

    async def show(self, name: str) -> str:
        """Post a picture that was brought to Discord before; its link.

        Raises:
            NoAccount, NoAnswer: as `post_pictures`; NoAnswer too for a name that is none.
        """
        wish = AccountFilter(account=self._brought.get(name))
        runner, _ = self._pool.choose(wish)
        try:
            return await runner.sender.show(name)
        except DiscordError as error:
            raise NoAnswer(str(error)) from error
