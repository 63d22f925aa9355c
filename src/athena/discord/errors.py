"""What can go wrong with a call to Discord, as types (contracts: discord-wire, section 4).

The question that matters to a caller is whether the call may have taken effect: only
`OutcomeUnknown` leaves that open, every other error means that it did not.
"""

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Struct

from athena.errors import AthenaError


class DiscordError(AthenaError):
    """Base of all; the text is Discord's own where it gave one, and never holds a token."""


class Unauthorized(DiscordError):
    """401: the token is refused."""


class Forbidden(DiscordError):
    """403: the account may not do this here."""


class UnknownObject(DiscordError):
    """404, or a code such as 10008 (message) and 10062 (interaction)."""


class InvalidForm(DiscordError):
    """400 with code 50035: a field is not what Discord wants."""

    def __init__(self, text: str, fields: tuple[str, ...]) -> None:
        super().__init__(text)
        self.fields = fields

    @property
    def stale_command(self) -> bool:
        """Whether the command's version or id was refused: look it up again."""
        return any("version" in field or field.endswith("data.id") for field in self.fields)


class VerificationRequired(DiscordError):
    """40002: the account must be verified by its owner first."""


class HumanCheckRequired(DiscordError):
    """Discord wants a person to prove that they are one. It is never solved, only told."""


class RateLimited(DiscordError):
    """429, longer than we wait for."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"Discord asks for a pause of {seconds:.0f} s")
        self.seconds = seconds


class RequestRejected(DiscordError):
    """Any other 4xx."""


class ServerFault(DiscordError):
    """5xx: Discord is in trouble."""


class Unreachable(DiscordError):
    """No connection was made, so nothing was sent."""


class OutcomeUnknown(DiscordError):
    """The call went out and no answer came: it may have taken effect."""


class TokenRefused(DiscordError):
    """Close code 4004: no session will ever begin with this token."""


class GatewayRefused(DiscordError):
    """Close codes 4010 to 4014: Discord ended the session for good."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"close code {code}: {reason}")
        self.code = code


class UnknownCommand(DiscordError):
    """The bot has no such command in this server. Is it a member?"""


class ErrorBody(Struct, frozen=True):
    """Discord's JSON error."""

    code: int = 0
    message: str = ""
    errors: Any = None
    captcha_key: Any = None


def from_answer(status: int, body: bytes) -> DiscordError:
    """The error that an answer of 400 or above, 429 excepted, stands for."""
    said = _decode(body)
    text = f"Discord answered {status}: {said.message or 'no reason given'} (code {said.code})"
    if said.captcha_key is not None:
        return HumanCheckRequired("Discord asks for a human check; its owner must sign in")
    if said.code == 40002:
        return VerificationRequired("Discord wants this account to be verified by its owner")
    if said.code == 50035:
        faults = dict(_faults(said.errors))
        reasons = "; ".join(f"{field}: {why}" for field, why in faults.items())
        return InvalidForm(f"{text}: {reasons}" if reasons else text, tuple(faults))
    return _by_status(status, said.code, text)


def _by_status(status: int, code: int, text: str) -> DiscordError:
    if status == 401:
        return Unauthorized(text)
    if status == 403 or code in (50001, 50013):
        return Forbidden(text)
    if status == 404 or 10001 <= code <= 10100:
        return UnknownObject(text)
    return ServerFault(text) if status >= 500 else RequestRejected(text)


def _decode(body: bytes) -> ErrorBody:
    try:
        return msgspec.json.decode(body, type=ErrorBody)
    except msgspec.MsgspecError:
        return ErrorBody()


def _faults(errors: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Discord nests reasons by field: {"data": {"version": {"_errors": [{message}]}}}."""
    if not isinstance(errors, dict):
        return
    for name, inner in errors.items():
        if name == "_errors" and isinstance(inner, list):
            yield path, ", ".join(str(each.get("message", "")) for each in inner)
        else:
            yield from _faults(inner, f"{path}.{name}" if path else name)
