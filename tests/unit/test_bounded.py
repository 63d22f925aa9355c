"""A dictionary with a bound."""

import pytest

from athena.bounded import BoundedDict


def test_the_entry_that_was_written_longest_ago_goes() -> None:
    entries: BoundedDict[str, int] = BoundedDict(2)
    entries["a"], entries["b"] = 1, 2
    assert entries["a"] == 1  # reading renews nothing
    entries["c"] = 3
    assert dict(entries) == {"b": 2, "c": 3}
    entries["b"] = 4
    entries["d"] = 5
    assert list(entries.items()) == [("b", 4), ("d", 5)]
    assert list(reversed(entries)) == ["d", "b"]
    del entries["b"]
    assert (len(entries), entries.get("b")) == (1, None)


def test_it_holds_something() -> None:
    with pytest.raises(ValueError, match="holds nothing"):
        BoundedDict[str, int](0)
