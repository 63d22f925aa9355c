"""What the answer to a delivery says of the delivery and of its receiver."""

import pytest

from athena.delivery.sending import Outcome


@pytest.mark.parametrize(
    ("answer", "is_done", "is_up"),
    [
        (200, True, True),
        (204, True, True),
        (302, False, True),
        (404, False, True),
        (410, False, True),
        (429, False, False),
        (500, False, False),
        (503, False, False),
    ],
)
def test_answers(answer: int, is_done: bool, is_up: bool) -> None:
    outcome = Outcome(answer=answer)
    assert (outcome.is_done, outcome.is_up, outcome.is_nothing) == (is_done, is_up, False)


def test_no_answer() -> None:
    unreachable, fault = Outcome(error="TimeoutError"), Outcome(error="KeyError", is_fault=True)
    assert (unreachable.is_done, unreachable.is_up) == (False, False)
    assert (fault.is_done, fault.is_up) == (False, None)


def test_nothing_to_tell() -> None:
    nothing = Outcome()
    assert (nothing.is_done, nothing.is_up, nothing.is_nothing) == (True, None, True)
