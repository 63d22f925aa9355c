"""Public names of the errors."""

import athena
from athena import client


def test_the_earlier_name_of_request_refused() -> None:
    assert athena.Refused is athena.RequestRefused
    assert client.Refused is client.RequestRefused
