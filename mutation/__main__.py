"""`python -m mutation`: mutate the modules of `targets.toml`, exit 1 when too many survive."""

import argparse
import os
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

from mutation import config, report, running, testing
from mutation.config import Config, Target
from mutation.mutants import Mutant


def main() -> int:
    options = _options()
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    sys.dont_write_bytecode = True
    settings = config.load(options.config)
    testing.prepare(settings.preload)
    runs = []
    for target in _targets(settings, options):
        began = time.monotonic()
        try:
            run = running.run(settings, target, _wanted(options))
        except running.Broken as error:
            print(f"\n{error}", file=sys.stderr)
            return 2
        print(f"\n{target.module}: {time.monotonic() - began:.0f} s, {run.tests} tests")
        print(report.survivors(run, settings.accepted, settings), flush=True)
        for name in [] if options.only else report.stale(run, settings.accepted):
            print(f"no longer a survivor: {name}", file=sys.stderr)
        runs.append(run)
    print(report.summary(runs, settings.accepted))
    scores = [(each.target, report.score(each, settings.accepted)) for each in runs]
    return int(any(each.per_cent < target.at_least for target, each in scores))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="mutation", description=__doc__)
    parser.add_argument("--config", type=Path, default=config.DEFAULT)
    parser.add_argument("--modules", nargs="+", help="only these; all of the file otherwise")
    parser.add_argument("--tests", nargs="+", help="in place of those that the file names")
    parser.add_argument("--only", default="", help="mutants whose name matches this expression")
    parser.add_argument("--lines", help="mutants on these lines: 10-20")
    return parser.parse_args()


def _targets(settings: Config, options: argparse.Namespace) -> list[Target]:
    if not options.modules:
        return list(settings.target)
    known = {each.module: each for each in settings.target}
    if options.tests:
        return [Target(name, tuple(options.tests)) for name in options.modules]
    if missing := [name for name in options.modules if name not in known]:
        raise SystemExit(f"no tests are known for {', '.join(missing)}: give --tests")
    return [known[name] for name in options.modules]


def _wanted(options: argparse.Namespace) -> Callable[[Mutant], bool]:
    only = re.compile(options.only)
    first, last = (int(each) for each in (options.lines or "0-1000000").split("-"))
    return lambda mutant: bool(only.search(mutant.name)) and first <= mutant.line <= last


if __name__ == "__main__":
    sys.exit(main())
