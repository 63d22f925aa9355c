"""Pauses grow, stay bounded, are spread, and start over."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from athena.backoff import Backoff


class _Middle(Random):
    """No jitter: the middle of every range."""

    def random(self) -> float:
        return 0.5


def test_pauses_double_up_to_the_longest() -> None:
    backoff = Backoff(1.0, 6.0, _Middle())
    assert [backoff.next() for _ in range(5)] == [1.0, 2.0, 4.0, 6.0, 6.0]


def test_the_factor_is_chosen() -> None:
    backoff = Backoff(1.0, 100.0, _Middle(), factor=3.0)
    assert [backoff.next() for _ in range(4)] == [1.0, 3.0, 9.0, 27.0]


def test_a_reset_starts_over() -> None:
    backoff = Backoff(1.0, 60.0, _Middle())
    backoff.next()
    backoff.next()
    backoff.reset()
    assert backoff.next() == 1.0


@given(
    first=st.floats(0.001, 10.0),
    stretch=st.floats(1.0, 100.0),
    factor=st.floats(1.0, 5.0),
    seed=st.integers(),
    number=st.integers(1, 200),
)
def test_every_pause_is_within_half_and_one_and_a_half_of_its_plan(
    first: float, stretch: float, factor: float, seed: int, number: int
) -> None:
    longest = first * stretch
    backoff = Backoff(first, longest, Random(seed), factor=factor)
    planned = first
    for _ in range(number):
        assert 0.5 * planned <= backoff.next() <= 1.5 * planned
        planned = min(planned * factor, longest)


@pytest.mark.parametrize(("first", "longest", "factor"), [(0, 1, 2), (2, 1, 2), (1, 2, 0.5)])
def test_an_impossible_plan_is_refused(first: float, longest: float, factor: float) -> None:
    with pytest.raises(ValueError, match="no backoff"):
        Backoff(first, longest, Random(0), factor=factor)
