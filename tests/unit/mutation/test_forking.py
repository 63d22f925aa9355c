"""Work in a fork: its result, its death, its limits."""

import os

from mutation.forking import Outcome, in_fork


def test_a_result_of_any_size_comes_back() -> None:
    assert in_fork(lambda: b"x" * 300_000) == Outcome(b"x" * 300_000)


def test_a_fork_that_dies_has_no_result() -> None:
    def die() -> bytes:
        os._exit(3)

    assert in_fork(die) == Outcome(None)


def test_what_never_ends_is_ended_after_its_processor_time() -> None:
    def spin() -> bytes:
        while True:
            pass

    assert in_fork(spin, cpu=0) == Outcome(None, timed_out=True)


def test_what_waits_for_ever_is_ended_by_the_clock() -> None:
    reader, _ = os.pipe()
    assert in_fork(lambda: os.read(reader, 1), wall=0.01) == Outcome(None, timed_out=True)
