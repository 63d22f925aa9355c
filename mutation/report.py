"""The report of a run."""

from collections import Counter
from collections.abc import Iterable, Sequence

from msgspec import Struct

from mutation.config import Accepted, Config, path_of
from mutation.running import Judged, Run


class Score(Struct, frozen=True):
    """One module's figures; what is accepted counts for nothing."""

    caught: int
    survived: int
    accepted: int
    slow: int
    """Those of the caught that ran into the time limit."""

    @property
    def per_cent(self) -> float:
        counted = self.caught + self.survived
        return 100 * self.caught / counted if counted else 100.0


def score(run: Run, accepted: Iterable[Accepted]) -> Score:
    """Count a run."""
    names = _accepted(run, accepted)
    open_ = [each for each in run.judged if each.survives and each.mutant.name not in names]
    states = Counter(each.state for each in run.judged)
    caught = states["caught"] + states["timeout"]
    return Score(caught, len(open_), len(run.judged) - caught - len(open_), states["timeout"])


def survivors(run: Run, accepted: Iterable[Accepted], settings: Config) -> str:
    """Each survivor that is not accepted: place, name and diff."""
    names = _accepted(run, accepted)
    path = path_of(settings, run.target.module)
    source = path.read_text(encoding="utf-8")
    return "\n".join(
        f"{settings.source}/{run.target.module.replace('.', '/')}.py:{each.mutant.line} "
        f"{each.state}\n  name = {each.mutant.name!r}\n{_indented(each, source)}"
        for each in run.judged
        if each.survives and each.mutant.name not in names
    )


def stale(run: Run, accepted: Iterable[Accepted]) -> list[str]:
    """Names of accepted survivors that there are no more."""
    alive = {each.mutant.name for each in run.judged if each.survives}
    return sorted(_accepted(run, accepted) - alive)


def summary(runs: Sequence[Run], accepted: Sequence[Accepted]) -> str:
    """A table of the modules."""
    lines = [f"{'module':36} {'mutants':>8} {'caught':>7} {'slow':>5} {'open':>5} {'ok':>4}"]
    for each in runs:
        is_ = score(each, accepted)
        lines.append(
            f"{each.target.module:36} {len(each.judged):8} {is_.caught:7} {is_.slow:5} "
            f"{is_.survived:5} {is_.accepted:4} {is_.per_cent:6.1f}%"
        )
    return "\n".join(lines)


def _accepted(run: Run, accepted: Iterable[Accepted]) -> set[str]:
    return {each.name for each in accepted if each.module == run.target.module}


def _indented(judged: Judged, source: str) -> str:
    return "\n".join(f"    {line}" for line in judged.mutant.diff(source).splitlines())
