"""What a gateway session tells its owner: Discord's events, decoded, and the session's own fate."""

from typing import TypeAlias

from msgspec import Struct

from athena.discord import wire


class Ready(Struct, frozen=True):
    """A new session began. `first` is False when it replaces one whose last events may be lost."""

    session_id: str
    user: wire.User
    first: bool


class Resumed(Struct, frozen=True):
    """The old session goes on; whatever was missed has been replayed before this."""

    session_id: str


class Disconnected(Struct, frozen=True):
    """The connection broke; the session tries to come back by itself."""

    code: int | None
    reason: str


class Gap(Struct, frozen=True):
    """The numbers of the events jumped: so many went lost on the way, and no one knows what."""

    missing: int


class MessageCreated(Struct, frozen=True):
    message: wire.Message


class MessageUpdated(Struct, frozen=True):
    patch: wire.MessagePatch


class MessagesDeleted(Struct, frozen=True):
    channel_id: str
    message_ids: tuple[str, ...]


class InteractionCreated(Struct, frozen=True):
    """Discord took the interaction of this nonce and gave it an id."""

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
    """The bot answered a press with a modal of text inputs, or with an embedded page."""

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
