"""Which account takes a task (contracts: mj-dialect, sections 2 and 8).

A filter says which accounts may take it; a rule chooses among those that have room. The modes of a
filter are an ordered preference: the first that some account allows is the task's.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from itertools import count
from random import Random

from msgspec import Struct

from athena.errors import NoAccount, QueueFull
from athena.store.account_directory import AccountState, AccountStatus
from athena.tasks.model import ANY_ACCOUNT, AccountFilter, Speed


class Rule(StrEnum):
    BEST_WAIT_IDLE = "BestWaitIdle"
    """The least loaded for its slots."""
    RANDOM = "Random"
    WEIGHT = "Weight"
    """At random, with the accounts' weights."""
    POLLING = "Polling"
    """In turns."""


class Candidate(Struct, frozen=True):
    """An account, and how many unfinished tasks it has."""

    status: AccountStatus
    unfinished: int

    @property
    def has_room(self) -> bool:
        return self.unfinished < self.status.places

    @property
    def load(self) -> float:
        """Unfinished tasks per slot."""
        return self.unfinished / self.status.settings.core_size


class Chooser:
    """Chooses by one rule, and remembers the turns."""

    def __init__(self, rule: Rule, random: Random) -> None:
        self.rule = rule
        self._random = random
        self._turns = count()

    def choose(
        self,
        candidates: Iterable[Candidate],
        wanted: AccountFilter = ANY_ACCOUNT,
        speed: Speed | None = None,
    ) -> tuple[AccountStatus, Speed | None]:
        """The chosen account, and the speed if the filter decided it.

        Raises:
            NoAccount: none fits, or all that do are stopped.
            QueueFull: all that fit and work are full.
        """
        fitting = [each for each in candidates if _fits(each.status, wanted)]
        working = [each for each in fitting if each.status.state is not AccountState.STOPPED]
        if not working:
            raise NoAccount(_why_none(fitting, wanted))
        if speed:
            return self._of(_allowing(working, speed)), speed
        for mode in wanted.modes:
            allowing = [each for each in working if mode in each.status.settings.allow_modes]
            if any(each.has_room for each in allowing):
                return self._of(allowing), mode
        if wanted.modes:
            working = _allowing(working, *wanted.modes)
        return self._of(working), None

    def _of(self, working: Sequence[Candidate]) -> AccountStatus:
        free = [each for each in working if each.has_room]
        if not free:
            full = working[0].status
            raise QueueFull(full.id, full.settings.queue_size)
        online = [each for each in free if each.status.state is AccountState.ONLINE]
        return self._pick(online or free).status

    def _pick(self, free: Sequence[Candidate]) -> Candidate:
        match self.rule:
            case Rule.BEST_WAIT_IDLE:
                return min(free, key=lambda each: each.load)
            case Rule.RANDOM:
                return self._random.choice(free)
            case Rule.WEIGHT:
                weights = [each.status.settings.weight for each in free]
                return self._random.choices(free, weights)[0]
            case Rule.POLLING:
                return free[next(self._turns) % len(free)]


def _fits(account: AccountStatus, wanted: AccountFilter) -> bool:
    if wanted is ANY_ACCOUNT:
        return True
    settings = account.settings
    return all(
        expected is None or expected == found
        for expected, found in (
            (wanted.account, account.id),
            (wanted.channel, settings.channel_id),
            (wanted.remark, settings.remark),
            (wanted.remix, bool(account.profile.remix)),
            (wanted.niji_remix, bool(account.niji_profile.remix)),
            (wanted.remix_auto_submit, settings.remix_auto_submit),
        )
    )


def _allowing(working: Sequence[Candidate], *modes: Speed) -> list[Candidate]:
    allowing = [each for each in working if set(modes) & set(each.status.settings.allow_modes)]
    if not allowing:
        raise NoAccount(f"no account may work in the mode {', '.join(modes)}")
    return allowing


def _why_none(fitting: Sequence[Candidate], wanted: AccountFilter) -> str:
    reasons = [each.status.reason for each in fitting if each.status.reason]
    if reasons:
        return "; ".join(reasons)
    return (
        "no account is configured" if wanted == ANY_ACCOUNT else "no account fits the accountFilter"
    )
