"""One row of the table."""

from msgspec import Struct


class Result(Struct, frozen=True, kw_only=True):
    what: str
    measured: str
    against: str = ""
    ratio: str = ""
    bound: str
    good: bool
