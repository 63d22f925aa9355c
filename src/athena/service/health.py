"""Whether this process can take requests, and what is wrong when it cannot."""

from collections import Counter

from msgspec import Struct

from athena.store.account_directory import AccountDirectory, AccountState
from athena.store.repository import TaskRepository
from athena.supervision import Supervisor


class HealthReport(Struct, frozen=True, kw_only=True):
    """`store` is empty when the disk takes what is written; accounts are counted by state.
    `problems` are loops that fail at the moment, of this process and of its accounts."""

    ready: bool
    store: str
    accounts: dict[str, int]
    problems: dict[str, str] = {}


class Health:
    """Reports on everything that may fail."""

    def __init__(
        self, repository: TaskRepository, directory: AccountDirectory, supervisor: Supervisor
    ) -> None:
        self._repository = repository
        self._directory = directory
        self._supervisor = supervisor

    def report(self) -> HealthReport:
        """Ready when the disk takes what is written, all loops of the process run, and at least one
        account is neither stopped nor has a loop that fails."""
        accounts = self._directory.all()
        states = Counter(each.state for each in accounts)
        own = self._supervisor.errors
        working = any(
            each.state is not AccountState.STOPPED and not each.problem for each in accounts
        )
        write_error = self._repository.write_error
        return HealthReport(
            ready=working and not write_error and not own,
            store=write_error,
            accounts={state.value: states[state] for state in AccountState},
            problems={**own, **{each.id: each.problem for each in accounts if each.problem}},
        )
