"""The language of an answer, by the request's Accept-Language."""

import pytest

from athena.http.languages import preferred
from athena.http.mj.responses import Language

ANSWERED = [
    (None, "zh"),
    ("", "zh"),
    ("en", "en"),
    ("en-US,en;q=0.9", "en"),
    ("EN-gb ; q=0.7", "en"),
    ("de,fr;q=0.5", "zh"),
    ("de, en;q=0.1", "en"),
    ("zh;q=0.3, en;q=0.8", "en"),
    ("en;q=0.3, zh-CN;q=0.8", "zh"),
    ("en;q=0.5, zh;q=0.5", "en"),
    ("zh;q=0.5, en;q=0.5", "zh"),
    ("en;q=0", "zh"),
    ("zh;q=0, en;q=0", "zh"),
    ("zh;q=0, *", "en"),
    ("en;q=0.3, *;q=0.8", "zh"),
    ("*", "zh"),
    ("en-US;q=0.2, en;q=0.9, zh;q=0.5", "en"),
    ("zh;q=2, en;q=0.1", "en"),
    ("zh;q=nan, en;q=0.1", "en"),
    ("english", "zh"),
    (";;,=,en", "en"),
]


@pytest.mark.parametrize(("header", "language"), ANSWERED)
def test_the_quality_decides_then_the_order(header: str | None, language: str) -> None:
    assert Language.of(header) == language


def test_only_the_beginning_of_a_very_long_header_is_read() -> None:
    assert Language.of("en" + ",de" * 100_000) == "en"
    assert Language.of("de," * 100_000 + "en") == "zh"


def test_the_first_that_is_offered_is_the_default() -> None:
    assert preferred("de", ("fr", "it")) == "fr"
