"""What a handler is given: the services of the house, and the call that it answers."""

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from athena.clock import Clock
from athena.delivery.fetching import Fetcher
from athena.delivery.guard import Guard
from athena.delivery.hooks import Hooks
from athena.delivery.served import Gallery
from athena.engine.desk import Desk
from athena.engine.links import LinkRenewal
from athena.engine.refusals import Refused
from athena.engine.roster import Roster
from athena.http.auth import Caller, Gate, Headers
from athena.http.feed import Feed
from athena.http.keys import Keys
from athena.http.links import Links
from athena.http.mj_words import Language
from athena.http.modes import Modes
from athena.http.quotas import Quotas
from athena.settings import Settings
from athena.store.sealing import Seal

KEY = "athena.call"
"""Where the front door leaves the call for the handlers, in the ASGI scope."""


class NotAllowed(Refused):
    """The caller is known, but this is for administrators."""


class Services(Struct, frozen=True, kw_only=True):
    """Everything that handlers use."""

    settings: Settings
    clock: Clock
    desk: Desk
    roster: Roster
    keys: Keys
    gate: Gate
    fetcher: Fetcher
    guard: Guard
    hooks: Hooks
    gallery: Callable[[], Gallery]
    """Opens the relayed pictures; what decodes them is loaded with the first that is wanted."""
    renewal: LinkRenewal
    quotas: Quotas
    feed: Feed
    seal: Seal

    def links(self, modes: Modes, base: str) -> Links:
        """How links are made for a call with these wishes."""
        given = self.settings.pictures
        return Links(
            modes.images or given.links,
            self.settings.server.public_url.rstrip("/") or base,
            modes.images_host or given.proxy_host or None,
            None if self.gate.is_open else self.seal,
        )


class Call(Struct, frozen=True, kw_only=True):
    """One call: who makes it, how, and in which language it is to be answered."""

    caller: Caller
    modes: Modes
    links: Links
    language: Language

    def must_be_admin(self) -> None:
        """Turn everybody else away.

        Raises:
            NotAllowed: the caller is no administrator.
        """
        if not self.caller.is_admin:
            raise NotAllowed("this needs an administrator's token")


def base_of(headers: Headers, scheme: Any) -> str:
    """The server's URL as a call names it."""
    host = next((value for name, value in headers if name == b"host"), b"localhost")
    return f"{scheme}://{host.decode('latin-1')}"


def language_of(headers: Headers) -> Language:
    wish = next((value for name, value in headers if name == b"accept-language"), b"")
    return Language.of(wish.decode("latin-1"))
