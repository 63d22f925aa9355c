"""The interface between the simulated Discord and the simulated bots.

The Discord side implements `Stage`, a bot implements `Player`; neither knows more about the other.
"""

from collections.abc import Callable, Mapping
from random import Random
from typing import Any, Protocol

from msgspec import Struct

from athena.clock import Clock

Json = dict[str, Any]
"""A Discord object in wire format."""


class Drawing(Struct, frozen=True, kw_only=True):
    """An image that a bot attaches. It is drawn at its first download.

    `size` is the exact number of bytes that `draw` returns.
    """

    filename: str
    content_type: str
    width: int
    height: int
    size: int
    draw: Callable[[], bytes]


class Draft(Struct, frozen=True, kw_only=True):
    """The content of a message that a bot sends."""

    content: str = ""
    embeds: tuple[Json, ...] = ()
    components: tuple[Json, ...] = ()
    drawings: tuple[Drawing, ...] = ()
    ephemeral: bool = False
    loading: bool = False
    """A deferred response; a later edit has the content."""


class Call(Struct, frozen=True, kw_only=True):
    """One interaction of a user with a bot: a command, a pressed button or a submitted modal."""

    id: str
    kind: int
    """2 command, 3 component, 5 modal (Discord's interaction types)."""
    application_id: str
    guild_id: str | None
    channel_id: str
    user_id: str
    username: str
    session_id: str
    nonce: str | None
    name: str = ""
    """The command's name."""
    options: Mapping[str, Any] = {}
    """The command's options by name; an attachment option holds the attachment object."""
    custom_id: str = ""
    values: tuple[str, ...] = ()
    inputs: Mapping[str, str] = {}
    """A modal's inputs by custom_id."""
    message_id: str | None = None
    """The message whose component was pressed."""


class Stage(Protocol):
    """Discord, as a bot sees it. Every action is broadcast before the call returns."""

    clock: Clock
    random: Random

    def succeed(self, call: Call) -> None:
        """Acknowledge: INTERACTION_SUCCESS goes to the session that caused the call."""

    def fail(self, call: Call, reason_code: int) -> None:
        """INTERACTION_FAILURE goes to the session that caused the call."""

    def respond(self, call: Call, draft: Draft) -> Json:
        """Answer a call with its first message, and acknowledge it.

        A command's answer is a type 20 message with the nonce (to the causing session alone) and
        `interaction_metadata`; a press's answer is a type 19 reply to the pressed message,
        likewise with `interaction_metadata`. Returns the message object.
        """
        ...

    def open_modal(self, call: Call, custom_id: str, title: str, inputs: tuple[Json, ...]) -> None:
        """Answer a call with INTERACTION_MODAL_CREATE."""

    def open_page(self, call: Call, custom_id: str, title: str, path: str) -> None:
        """Answer a call with INTERACTION_IFRAME_MODAL_CREATE: an iframe modal of the bot."""

    def post(
        self, application_id: str, channel_id: str, draft: Draft, *, call: Call | None = None,
        reply_to: str | None = None,
    ) -> Json:  # fmt: skip
        """Send a new message of the bot. With `call`, it carries that call's `interaction_metadata`
        (and, like a deferred answer's follow-up, no nonce); with `reply_to`, it is a type 19
        reply."""
        ...

    def edit(self, channel_id: str, message_id: str, draft: Draft) -> None:
        """Replace the content of a message: MESSAGE_UPDATE."""

    def delete(self, channel_id: str, message_id: str) -> None:
        """MESSAGE_DELETE. Does nothing if the message does not exist."""

    def message(self, channel_id: str, message_id: str) -> Json | None:
        """The current content of a message."""
        ...

    def direct_channel(self, application_id: str, user_id: str) -> str:
        """The id of the DM channel between the bot and a user, created if necessary."""
        ...

    def image_at(self, url: str) -> Callable[[], bytes] | None:
        """A function that reads the file of a link to this CDN (drawing it may take time). None if
        the link points elsewhere.

        Raises:
            LookupError: the link points to this CDN, but to no file.
        """
        ...


class Player(Protocol):
    """A bot. Each method returns immediately; work that takes time runs in the bot's own tasks."""

    application_id: str
    username: str

    def commands(self) -> tuple[Json, ...]:
        """The command index: id, application_id, version, name, type and options of each."""
        ...

    def called(self, call: Call) -> None:
        """A user used a command, pressed a component or submitted a modal."""

    def reacted(self, channel_id: str, message_id: str, user_id: str, emoji: str) -> None:
        """A user added a reaction to one of this bot's messages."""

    def page_submitted(self, token: str, prompt: str, mask: bytes) -> bool:
        """A user submitted an iframe modal of this bot; False if this bot did not open it."""
        ...

    def request_notice(self, user_id: str | None, text: str, times: int) -> None:
        """Answer the next calls, of one user or of all, with a notice.

        Raises:
            ValueError: the delivery is unknown.
        """

    def state(self) -> Json:
        """The jobs and state of the bot, for people and tests."""
        ...

    async def close(self) -> None:
        """Stop every running job."""
