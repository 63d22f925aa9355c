"""What retention lets go."""

from athena.clock import DAY
from athena.store.retention import Cutoffs, Retention, day_of

NOW = 100 * DAY + 5


def test_by_default_only_keys_and_uploaded_files_go() -> None:
    assert Retention().cutoffs(NOW) == Cutoffs(
        tasks=None,
        refused_prompts=None,
        usage_day=None,
        claims=NOW - DAY,
        uploaded_files=NOW - DAY,
    )


def test_every_age_is_a_setting() -> None:
    retention = Retention(
        tasks_days=1,
        refused_prompts_days=0.5,
        usage_days=7,
        claims_hours=1,
        uploaded_files_hours=2,
    )
    assert retention.cutoffs(NOW) == Cutoffs(
        tasks=NOW - DAY,
        refused_prompts=NOW - DAY // 2,
        usage_day=93,
        claims=NOW - 3_600_000,
        uploaded_files=NOW - 7_200_000,
    )


def test_days_are_of_utc() -> None:
    assert (day_of(0), day_of(DAY - 1), day_of(DAY)) == (0, 0, 1)
