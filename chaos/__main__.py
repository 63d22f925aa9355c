"""`python -m chaos --seed N --tasks N`: prints one line per run; exits 1 if a guarantee is
broken."""

import argparse
import logging
import sys
import time

import structlog

from chaos.run import play


def main() -> int:
    parser = argparse.ArgumentParser(prog="chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=1, help="play so many, from --seed on")
    parser.add_argument("--tasks", type=int, default=2_000)
    parser.add_argument("--log", default="CRITICAL", help="level of the server's own log")
    args = parser.parse_args()
    level = logging.getLevelName(args.log.upper())
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(level))
    logging.disable(logging.CRITICAL)
    return max(_one(seed, args.tasks) for seed in range(args.seed, args.seed + args.seeds))


def _one(seed: int, tasks: int) -> int:
    began = time.monotonic()
    verdict = play(seed, tasks)
    print(verdict, flush=True)
    took = f"seed {seed}, {time.monotonic() - began:.1f} s, trace {verdict.trace:08x}"
    print(took, file=sys.stderr, flush=True)
    for why in verdict.why:
        print(f"  {why}", file=sys.stderr)
    return 0 if verdict.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
