"""Which account takes a task (contracts: mj-dialect, sections 2 and 8).

A filter says which may; a rule says which of those that have room does. The modes of a filter are
an ordered preference: the first that some account allows is the task's.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from itertools import count
from random import Random
from typing import Protocol

from msgspec import Struct

from athena.accounts.account import AccountState
from athena.errors import NoAccount, QueueFull
from athena.settings import AccountSettings
from athena.tasks.bot_events import Profile
from athena.tasks.model import Speed


class Rule(StrEnum):
    BEST_WAIT_IDLE = "BestWaitIdle"
    """The least loaded for its slots."""
    RANDOM = "Random"
    WEIGHT = "Weight"
    """By lot, with the accounts' weights."""
    POLLING = "Polling"
    """In turns."""


class AccountFilter(Struct, frozen=True, kw_only=True):
    """What an account must be like; what is None does not matter."""

    account: str | None = None
    channel: str | None = None
    modes: tuple[Speed, ...] = ()
    remark: str | None = None
    remix: bool | None = None
    niji_remix: bool | None = None
    remix_auto_submit: bool | None = None


class Candidate(Protocol):
    """An account as the choice sees it."""

    id: str
    settings: AccountSettings
    state: AccountState
    reason: str
    profile: Profile

    @property
    def queue_size(self) -> int: ...

    @property
    def has_room(self) -> bool: ...

    @property
    def load(self) -> float: ...


ANY = AccountFilter()


class Chooser:
    """Chooses by one rule, and remembers whose turn it is."""

    def __init__(self, rule: Rule, random: Random) -> None:
        self.rule = rule
        self._random = random
        self._turns = count()

    def choose(
        self, accounts: Iterable[Candidate], wish: AccountFilter = ANY, speed: Speed | None = None
    ) -> tuple[str, Speed | None]:
        """The chosen account's id, and the speed if the filter decided it.

        Raises:
            NoAccount: none fits, or all that do are stopped.
            QueueFull: all that fit and work are full.
        """
        fitting = [each for each in accounts if wish is ANY or _fits(each, wish)]
        working = [each for each in fitting if each.state is not AccountState.STOPPED]
        if not working:
            raise NoAccount(_why_none(fitting, wish))
        if speed:
            return self._of(_allowing(working, speed)).id, speed
        for mode in wish.modes:
            allowing = [each for each in working if mode in each.settings.allow_modes]
            if any(each.has_room for each in allowing):
                return self._of(allowing).id, mode
        if wish.modes:
            working = _allowing(working, *wish.modes)
        return self._of(working).id, None

    def _of(self, working: Sequence[Candidate]) -> Candidate:
        free = [each for each in working if each.has_room]
        if not free:
            raise QueueFull(working[0].id, working[0].queue_size)
        online = [each for each in free if each.state is AccountState.ONLINE]
        return self._pick(online or free)

    def _pick(self, free: Sequence[Candidate]) -> Candidate:
        match self.rule:
            case Rule.BEST_WAIT_IDLE:
                return min(free, key=lambda each: each.load)
            case Rule.RANDOM:
                return self._random.choice(free)
            case Rule.WEIGHT:
                weights = [each.settings.weight for each in free]
                return self._random.choices(free, weights)[0]
            case Rule.POLLING:
                return free[next(self._turns) % len(free)]


def _fits(account: Candidate, wish: AccountFilter) -> bool:
    settings = account.settings
    return all(
        wanted is None or wanted == found
        for wanted, found in (
            (wish.account, account.id),
            (wish.channel, settings.channel_id),
            (wish.remark, settings.remark),
            (wish.remix, bool(account.profile.remix)),
            (wish.niji_remix, bool(account.profile.remix)),
            (wish.remix_auto_submit, settings.remix_auto_submit),
        )
    )


def _allowing(working: Sequence[Candidate], *modes: Speed) -> list[Candidate]:
    allowing = [each for each in working if set(modes) & set(each.settings.allow_modes)]
    if not allowing:
        raise NoAccount(f"no account may work in the mode {', '.join(modes)}")
    return allowing


def _why_none(fitting: Sequence[Candidate], wish: AccountFilter) -> str:
    reasons = [each.reason for each in fitting if each.reason]
    if reasons:
        return "; ".join(reasons)
    return "no account is configured" if wish == ANY else "no account fits the accountFilter"
