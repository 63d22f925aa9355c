"""Records are found by the fixed name of their kind, whatever their type is called."""

from pathlib import Path

from msgspec import Struct

from athena.service.account_registry import ACCOUNTS
from athena.service.preferences import PREFERENCES
from athena.store.records import RecordKind, Records
from athena.store.tokens import TOKENS


class _Colour(Struct, frozen=True):
    name: str


class _Renamed(Struct, frozen=True):
    name: str


def test_a_renamed_type_finds_its_records(tmp_path: Path) -> None:
    records = Records(tmp_path)
    records.put(RecordKind("colour", _Colour), "1", _Colour("red"))
    assert records.all(RecordKind("colour", _Renamed)) == [_Renamed("red")]
    assert records.all(RecordKind("shape", _Colour)) == []
    records.close()


def test_the_names_of_the_kinds_are_those_on_disk() -> None:
    assert [kind.name for kind in (TOKENS, ACCOUNTS, PREFERENCES)] == [
        "Token", "AccountRecord", "Changed",
    ]  # fmt: skip
