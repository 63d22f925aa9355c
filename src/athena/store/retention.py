"""How long things are stored: a pure rule, which the repository's `sweep` applies in small
steps."""

from msgspec import Struct

from athena.clock import DAY, Millis

_HOUR: Millis = DAY // 24


def day_of(moment: Millis) -> int:
    """The number of a UTC day since 1970-01-01."""
    return moment // DAY


class Cutoffs(Struct, frozen=True, kw_only=True):
    """What is older than these moments is deleted; None: nothing is deleted for its age."""

    tasks: Millis | None
    refused_prompts: Millis | None
    usage_day: int | None
    """Days before this one."""
    claims: Millis
    uploaded_files: Millis


class Retention(Struct, frozen=True, kw_only=True):
    """How long things are kept; None: for ever. Unfinished tasks are always kept."""

    tasks_days: float | None = None
    tasks_most: int | None = None
    """More ended tasks than so many are deleted, the oldest first."""
    refused_prompts_days: float | None = None
    usage_days: float | None = None
    claims_hours: float = 24
    """Idempotency keys."""
    uploaded_files_hours: float = 24
    """In which account's channel an uploaded file is."""

    def cutoffs(self, now: Millis) -> Cutoffs:
        """What to delete now."""
        usage = _before(now, self.usage_days)
        return Cutoffs(
            tasks=_before(now, self.tasks_days),
            refused_prompts=_before(now, self.refused_prompts_days),
            usage_day=None if usage is None else day_of(usage),
            claims=now - round(self.claims_hours * _HOUR),
            uploaded_files=now - round(self.uploaded_files_hours * _HOUR),
        )


def _before(now: Millis, days: float | None) -> Millis | None:
    return None if days is None else now - round(days * DAY)
