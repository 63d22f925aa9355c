"""The API tokens of a running server: in memory, changed here or by the command line."""

import asyncio

import structlog

from athena.clock import Clock
from athena.store.record_kinds import Records
from athena.store.tokens import TOKENS, Token, Tokens, new

log = structlog.get_logger(__name__)

LOOK = 2.0
"""Seconds between two looks for changes that another process made."""


class TokenRegistry:
    """Keeps `tokens` equal to the stored records."""

    def __init__(self, records: Records, clock: Clock) -> None:
        self.tokens = Tokens(records.all(TOKENS))
        self._records = records
        self._clock = clock
        self._looking = asyncio.Lock()

    async def look(self) -> None:
        """Load changes that another process made."""
        async with self._looking:
            if await asyncio.to_thread(self._records.changed):
                self.tokens.replace(await asyncio.to_thread(self._records.all, TOKENS))

    async def make(self, name: str, **fields: object) -> tuple[Token, str]:
        """Make a token; its secret is returned only here.

        Raises:
            msgspec.ValidationError: a field that a token cannot have.
        """
        token, secret = new(name, self._clock.now(), **fields)
        async with self._looking:
            await asyncio.to_thread(self._records.put, TOKENS, token.id, token)
            self.tokens.replace([*self.tokens.all(), token])
        log.info("token.made", token=token.id, role=token.role)
        return token, secret

    async def remove(self, token_id: str) -> bool:
        """Remove a token; it is not accepted any more. False when there was none."""
        async with self._looking:
            removed = await asyncio.to_thread(self._records.remove, TOKENS, token_id)
            self.tokens.replace([each for each in self.tokens.all() if each.id != token_id])
        log.info("token.removed", token=token_id)
        return removed
