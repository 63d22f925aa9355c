"""Requests that carry a key of their own, so that asking twice is asking once.

A caller who got no answer (a broken line, a server that was killed) cannot know whether the request
was taken. With an `Idempotency-Key` it may simply be made again: for a day the same key and the
same request get the same answer, and nothing is made twice. The claim is written in the same commit
as the task, so there is no moment in which one is there without the other. What was refused is not
remembered: it may be tried again. The same key with another request is an error, because one of the
two would be lost.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec
from msgspec import Struct

from athena.clock import Clock, Millis
from athena.errors import BadRequest
from athena.store.store import Claim, Store

_LIFE: Millis = 24 * 60 * 60 * 1000
_SWEEP: Millis = 60 * 60 * 1000

_T = TypeVar("_T")


class IdempotencyKey(Struct, frozen=True):
    """A request's key, which its caller made up, and a fingerprint of what it asks for."""

    key: str
    fingerprint: str


class KeyReused(BadRequest):
    """The key belongs to another request."""

    def __init__(self) -> None:
        super().__init__("Idempotency-Key: it was used with another request before")


class IdempotencyKeys:
    """What was claimed in the last 24 hours."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._taking: dict[str, asyncio.Event] = {}
        """CorrelationIds whose request is being taken at this moment."""
        self._swept = clock.now()

    async def settle(
        self, once: IdempotencyKey | None, kind: type[_T], take: Callable[[], Awaitable[_T]]
    ) -> _T:
        """The answer that the key got before, or else that of `take`, which has to keep `claim`
        with what it keeps. Of two at once the second waits for the first.

        Raises:
            KeyReused: the key was used for something else.
        """
        if once is None:
            return await take()
        while taking := self._taking.get(once.key):
            await taking.wait()
        taken = self._taking[once.key] = asyncio.Event()
        try:
            known = await self._known(once)
            return msgspec.json.decode(known, type=kind) if known else await take()
        finally:
            del self._taking[once.key]
            taken.set()

    def claim(self, once: IdempotencyKey | None, answer: object) -> Claim | None:
        """What is to be kept with the request's task; None where it has no key."""
        if once is None:
            return None
        now = self._clock.now()
        if now - self._swept > _SWEEP:
            self._swept = now
            self._store.drop_claims(now - _LIFE)
        return Claim(once.key, now, once.fingerprint, msgspec.json.encode(answer))

    async def _known(self, once: IdempotencyKey) -> bytes | None:
        claim = await self._store.claim(once.key)
        if claim is None or self._clock.now() - claim.at > _LIFE:
            return None
        if claim.fingerprint != once.fingerprint:
            raise KeyReused
        return claim.answer
