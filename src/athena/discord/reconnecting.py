"""When and how a broken gateway session comes back: where to, after which pause, or from the start.

A resume goes to the address that READY named. That host may be gone while the session is not, so
after three tries in a row that did not bring the session back, the resume goes to the gateway's
own address; after three more there that were answered, a new session begins. Data that cannot be
read would be replayed by every resume: after three connections in a row that ended over it, a new
session begins too, whose history is read instead.

Pauses grow until a session is there again. One that breaks over unreadable data at once after its
beginning does not count as being there: else it would be tried every second for ever.
"""

from random import Random

from athena.backoff import Backoff
from athena.discord.session import TOO_MANY_SESSIONS, CloseAction, Ended

LONGEST_PAUSE = 120.0
"""Seconds, before jitter."""

_FIRST_PAUSE = 1.0
_MOST_TRIES = 3
_STEADY = 60.0
"""Seconds after which a connection counts as sound, whatever ends it."""


class Reconnecting:
    """What is known of the last tries of one session."""

    def __init__(self, random: Random) -> None:
        self._backoff = Backoff(_FIRST_PAUSE, LONGEST_PAUSE, random)
        self._failed_resumes = 0
        self._unreadable_ends = 0

    @property
    def at_own_address(self) -> bool:
        """Whether a resume is to go to the gateway's own address, not to the one of READY."""
        return self._failed_resumes >= _MOST_TRIES

    def resuming(self) -> None:
        """A resume is about to be tried; it has failed unless `established` follows."""
        self._failed_resumes += 1

    def established(self) -> None:
        """READY or RESUMED came."""
        self._failed_resumes = 0
        if not self._unreadable_ends:
            self._backoff.reset()

    def next_action(self, ended: Ended, lived: float, *, connected: bool) -> CloseAction:
        """What to do after a connection that lived for some seconds; `connected` tells whether
        there was one at all."""
        if lived >= _STEADY:
            self._unreadable_ends = 0
            self._backoff.reset()
        self._unreadable_ends = self._unreadable_ends + 1 if ended.unreadable else 0
        if ended.action is CloseAction.RESUME and self._is_hopeless(connected=connected):
            return CloseAction.IDENTIFY
        return ended.action

    def pause(self, ended: Ended) -> float:
        """Seconds before the next connection."""
        planned = self._backoff.next()
        return LONGEST_PAUSE if ended.code == TOO_MANY_SESSIONS else planned

    def _is_hopeless(self, *, connected: bool) -> bool:
        if self._unreadable_ends >= _MOST_TRIES:
            return True
        return connected and self._failed_resumes >= 2 * _MOST_TRIES
