"""A page of a channel's history, read message by message.

Discord's wire changes without notice. A message of a form that is not understood costs itself
alone: it is left out of the page and handed to the caller beside it, so that the rest is read and
the next page still begins where this one ends.
"""

import msgspec
from msgspec import Raw, Struct

from athena.discord import wire

_MOST_RAW = 64 * 1024
_LONGEST_REASON = 300


class UnreadableMessage(Struct, frozen=True, kw_only=True):
    """A message that could not be decoded."""

    id: str | None
    """None when not even that could be read."""
    raw: bytes
    """Its JSON, at most 64 kB of it."""
    error: str


class MessagePage(Struct, frozen=True, kw_only=True):
    """What one read of the history brought, newest first."""

    messages: tuple[wire.Message, ...] = ()
    unreadable: tuple[UnreadableMessage, ...] = ()
    oldest_id: str | None = None
    """Of all messages of the page, readable or not: the `before` of the next page. None when the
    page is empty or no id in it could be read."""
    full: bool = False
    """Whether it has as many messages as were asked for, so that there may be more."""


class _Id(Struct, frozen=True):
    id: str | int


_list = msgspec.json.Decoder(tuple[Raw, ...]).decode
_message = msgspec.json.Decoder(wire.Message).decode
_id = msgspec.json.Decoder(_Id).decode


def read_page(body: bytes, limit: int) -> MessagePage:
    """Decode the answer to a read of at most `limit` messages.

    Raises:
        MsgspecError, RecursionError, UnicodeError: it is no list at all (`wire.UNREADABLE`).
    """
    raws = _list(body)
    read = [_read(raw) for raw in raws]
    ids = [int(each.id) for each in read if each.id is not None]
    return MessagePage(
        messages=tuple(each for each in read if isinstance(each, wire.Message)),
        unreadable=tuple(each for each in read if isinstance(each, UnreadableMessage)),
        oldest_id=str(min(ids)) if ids else None,
        full=len(raws) >= limit,
    )


def _read(raw: Raw) -> wire.Message | UnreadableMessage:
    try:
        return _message(raw)
    except wire.UNREADABLE as error:
        reason = f"{type(error).__name__}: {error}"[:_LONGEST_REASON]
        return UnreadableMessage(id=_id_of(raw), raw=bytes(raw)[:_MOST_RAW], error=reason)


def _id_of(raw: Raw) -> str | None:
    try:
        found = str(_id(raw).id)
    except wire.UNREADABLE:
        return None
    return found if wire.is_snowflake(found) else None
