"""A page of history survives messages that cannot be read."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from athena.discord import wire
from athena.discord.history import read_page

GOOD = b'{"id": "%d", "channel_id": "5", "content": "hello"}'
ODD = [
    b'{"id": "70", "embeds": [{"title": null}]}',
    b'{"id": "70", "content": null}',
    b'{"id": "70", "components": [{"type": 1, "components": null}]}',
    b'{"id": "70", "message_reference": {"message_id": 5}}',
    b'{"id": 70}',
]


def page_of(*messages: bytes) -> bytes:
    return b"[" + b",".join(messages) + b"]"


@pytest.mark.parametrize("odd", ODD)
def test_one_odd_message_costs_itself_alone(odd: bytes) -> None:
    page = read_page(page_of(GOOD % 90, odd, GOOD % 50), 100)
    assert [message.id for message in page.messages] == ["90", "50"]
    (unreadable,) = page.unreadable
    assert unreadable.id == "70"
    assert unreadable.raw == odd
    assert unreadable.error.startswith("ValidationError: ")


@pytest.mark.parametrize("odd", [b"null", b"5", b'{"content": "x"}', b'{"id": "x"}', b'{"id": {}}'])
def test_a_message_without_a_readable_id_has_none(odd: bytes) -> None:
    page = read_page(page_of(GOOD % 90, odd), 100)
    assert [each.id for each in page.unreadable] == [None]
    assert page.oldest_id == "90"


def test_the_next_page_begins_where_this_one_ends_though_its_last_is_unreadable() -> None:
    page = read_page(page_of(GOOD % 90, b'{"id": "40", "content": null}'), 2)
    assert page.oldest_id == "40"
    assert page.full


def test_what_is_kept_of_a_message_is_bounded() -> None:
    huge = b'{"id": "40", "content": null, "x": "' + b"y" * 200_000 + b'"}'
    (unreadable,) = read_page(page_of(huge), 2).unreadable
    assert len(unreadable.raw) == 64 * 1024


def test_an_empty_page_is_the_end() -> None:
    page = read_page(b"[]", 100)
    assert (page.messages, page.unreadable, page.oldest_id, page.full) == ((), (), None, False)


@pytest.mark.parametrize("body", [b"", b"{}", b"null", b"[1,", b"[" * 100_000, b'["\xff"'])
def test_what_is_no_list_is_no_page(body: bytes) -> None:
    with pytest.raises(wire.UNREADABLE):
        read_page(body, 100)


Json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=4,
)
Fields = st.sampled_from(sorted(wire.Message.__struct_fields__))


@settings(max_examples=40)
@given(st.lists(st.dictionaries(Fields, Json, max_size=4) | Json, max_size=6))
def test_any_json_makes_a_page(messages: list[object]) -> None:
    page = read_page(msgspec.json.encode(messages), 100)
    assert len(page.messages) + len(page.unreadable) == len(messages)
    for message in page.messages:
        int(message.id)
