"""Events of a gateway session: decoded Discord events, and changes of the session itself."""

from typing import TypeAlias

from msgspec import Struct

from athena.discord import wire


class Ready(Struct, frozen=True):
    """A new session started. `first` is False if it replaces one whose last events may be lost."""

    session_id: str
    user: wire.User
    first: bool


class Resumed(Struct, frozen=True):
    """The session was resumed; missed events were replayed before this."""

    session_id: str


class Disconnected(Struct, frozen=True):
    """The connection broke; the session reconnects automatically."""

    code: int | None
    reason: str


class Gap(Struct, frozen=True):
    """A gap in the sequence numbers: this many events were lost."""

    missing: int


class MessageCreated(Struct, frozen=True):
    message: wire.Message


class MessageUpdated(Struct, frozen=True):
    patch: wire.MessagePatch


class MessagesDeleted(Struct, frozen=True):
    channel_id: str
    message_ids: tuple[str, ...]


class InteractionCreated(Struct, frozen=True):
    """Discord accepted the interaction with this nonce and gave it an id."""

    interaction_id: str
    nonce: str | None


class InteractionSucceeded(Struct, frozen=True):
    interaction_id: str
    nonce: str | None


class InteractionFailed(Struct, frozen=True):
    interaction_id: str
    nonce: str | None
    reason_code: int | None


class ModalOpened(Struct, frozen=True):
    """The bot answered a press with a modal of text inputs, or with an iframe modal."""

    modal: wire.ModalCreate


Event: TypeAlias = (
    Ready
    | Resumed
    | Disconnected
    | Gap
    | MessageCreated
    | MessageUpdated
    | MessagesDeleted
    | InteractionCreated
    | InteractionSucceeded
    | InteractionFailed
    | ModalOpened
)
