"""The process's limit of open files is raised if possible; otherwise the problem is reported."""

import pytest

from athena.discord.http_sessions import ConnectionLimits
from athena.discord.open_files import OpenFiles, ensure_open_files, open_files_needed


class System(OpenFiles):
    def __init__(self, soft: int, hard: int, *, refuses: bool = False) -> None:
        self.soft, self.hard, self.refuses = soft, hard, refuses

    def limits(self) -> tuple[int, int]:
        return self.soft, self.hard

    def raise_to(self, soft: int, hard: int) -> None:
        if self.refuses:
            raise ValueError("not allowed")
        self.soft, self.hard = soft, hard


def test_accounts_and_every_session_count() -> None:
    limits = ConnectionLimits(rest=1, cdn=2, webhooks=3, images=4, translation=5)
    assert limits.total == 15
    assert open_files_needed(1000, limits, callers=100) == 1000 + 15 + 100 + 256


@pytest.mark.parametrize("soft", [2000, 5000, -1])
def test_enough_is_left_alone(soft: int) -> None:
    system = System(soft, -1)
    assert ensure_open_files(2000, system) is None
    assert system.soft == soft


@pytest.mark.parametrize("hard", [2000, 1_000_000, -1])
def test_the_soft_limit_is_raised_as_far_as_needed(hard: int) -> None:
    system = System(1024, hard)
    assert ensure_open_files(2000, system) is None
    assert (system.soft, system.hard) == (2000, hard)


def test_a_hard_limit_that_is_too_low_is_told_with_both_numbers() -> None:
    system = System(1024, 1500)
    problem = ensure_open_files(2000, system)
    assert problem is not None
    for part in ("2000", "1500", "ulimit -n 2000", "LimitNOFILE=2000"):
        assert part in problem
    assert system.soft == 1500


def test_a_system_that_refuses_is_told_too() -> None:
    problem = ensure_open_files(2000, System(1024, 4096, refuses=True))
    assert problem is not None
    assert "1024" in problem


def test_the_real_limits_can_be_read() -> None:
    soft, hard = OpenFiles().limits()
    assert soft == -1 or soft > 0
    assert hard == -1 or hard >= soft
