"""Small records that people make: tokens, accounts, preferences. Few, often read, rarely written.

Each kind has a fixed name under which it is stored, so renaming a class loses nothing.
"""

from typing import Generic, Protocol, TypeVar

from msgspec import Struct

T = TypeVar("T", bound=Struct)


class RecordKind(Struct, Generic[T], frozen=True):
    """A kind of record: its stored name ("token", "account", "preferences") and its type."""

    name: str
    type: type[T]


class Records(Protocol):
    """The records of a data folder. All calls block for as long as a small query takes.

    Every method raises `StoreError` when the database cannot be read or written.
    """

    def changed(self) -> bool:
        """Whether another connection has written since this was last asked; True the first
        time."""
        ...

    def all(self, kind: RecordKind[T]) -> list[T]:
        """Every readable record of a kind, in the order of their ids."""
        ...

    def put(self, kind: RecordKind[T], record_id: str, record: T) -> None:
        """Store a record, replacing an older one with its id.

        Raises:
            StoreUnavailable: it could not be written.
        """
        ...

    def remove(self, kind: RecordKind[T], record_id: str) -> bool:
        """Delete a record; False when there was none. Raises as `put`."""
        ...

    def close(self) -> None: ...
