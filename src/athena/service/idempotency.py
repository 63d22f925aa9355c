"""Idempotency keys: a request that is repeated with its key is accepted once.

A caller who got no answer (a broken connection, a server that was killed) cannot know whether the
request was accepted. With an `Idempotency-Key` the request can simply be repeated: for a day the
same key and the same request get the same answer, and nothing is created twice. The key is stored
in the same commit as the task, so neither ever exists without the other. A refused request is not
stored and can be tried again. The same key with another request is an error, because one of the two
would be lost.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from athena.clock import DAY, Clock, Millis
from athena.errors import Conflict, KeyReused
from athena.store.repository import IdempotencyRecord, TaskRepository

_LIFE: Millis = DAY

_T = TypeVar("_T")


class IdempotencyKey(Struct, frozen=True):
    """A request's key, chosen by its caller, and a fingerprint of the request."""

    key: str
    fingerprint: str


class IdempotencyKeys:
    """The keys of the last 24 hours."""

    def __init__(self, repository: TaskRepository, clock: Clock) -> None:
        self._repository = repository
        self._clock = clock
        self._taking: dict[str, asyncio.Event] = {}
        """Keys whose request is being accepted now."""

    async def settle(
        self, key: IdempotencyKey | None, kind: type[_T], take: Callable[[], Awaitable[_T]]
    ) -> _T:
        """The answer that the key got before, or else that of `take`, which has to store `record`
        with what it stores. Of two at once the second waits for the first.

        Raises:
            KeyReused: the key was used for something else.
        """
        if key is None:
            return await take()
        while taking := self._taking.get(key.key):
            await taking.wait()
        taken = self._taking[key.key] = asyncio.Event()
        try:
            return await self._settle(key, kind, take)
        finally:
            del self._taking[key.key]
            taken.set()

    def record(self, key: IdempotencyKey | None, answer: Any) -> IdempotencyRecord | None:
        """What is to be stored with the request's task; None where it has no key. An answer that
        says whether it is `repeated` says so from then on."""
        if key is None:
            return None
        if "repeated" in getattr(answer, "__struct_fields__", ()):
            answer = msgspec.structs.replace(answer, repeated=True)
        task = getattr(answer, "task", None)
        return IdempotencyRecord(
            key=key.key,
            at=self._clock.now(),
            fingerprint=key.fingerprint,
            answer=msgspec.json.encode(answer),
            task_id=task.id if task else None,
        )

    async def _settle(
        self, key: IdempotencyKey, kind: type[_T], take: Callable[[], Awaitable[_T]]
    ) -> _T:
        known = await self._known(key)
        if known is None:
            try:
                return await take()
            except Conflict:
                # Another process stored the same key first, or an earlier caller disconnected.
                known = await self._known(key)
                if known is None:
                    raise
        return msgspec.json.decode(known, type=kind)

    async def _known(self, key: IdempotencyKey) -> bytes | None:
        record = await self._repository.idempotency_record(key.key)
        if record is None or self._clock.now() - record.at > _LIFE:
            return None
        if record.fingerprint != key.fingerprint:
            raise KeyReused
        return record.answer
