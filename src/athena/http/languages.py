"""Accept-Language (RFC 9110, section 12.5.4): which of the offered languages a caller prefers."""

import re
from collections.abc import Iterator
from functools import lru_cache
from operator import itemgetter

_RANGE = re.compile(
    r"\s*(?P<tag>[a-z]{1,8}|\*)(?:-[a-z0-9-]+)?\s*"
    r"(?:;\s*q=(?P<quality>0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)\s*)?",
    re.IGNORECASE,
)
_LONGEST = 256
"""Characters that are read; browsers send less."""


def preferred(header: str | None, offered: tuple[str, ...]) -> str:
    """The language with the highest quality in the header; of equal ones the one named first; the
    first that is offered when the header accepts none of them."""
    return _preferred((header or "")[:_LONGEST], offered)


@lru_cache(maxsize=256)
def _preferred(header: str, offered: tuple[str, ...]) -> str:
    """Cached, because every call asks and most clients send the same header."""
    given = dict(sorted(_ranges(header), key=itemgetter(1)))
    any_other = given.get("*", (0.0, 0))
    best = max(offered, key=lambda language: given.get(language, any_other))
    return best if given.get(best, any_other)[0] > 0 else offered[0]


def _ranges(header: str) -> Iterator[tuple[str, tuple[float, int]]]:
    """Each readable part: its main language, and what it is compared by."""
    for position, part in enumerate(header.split(",")):
        if found := _RANGE.fullmatch(part):
            yield found["tag"].lower(), (float(found["quality"] or 1), -position)
