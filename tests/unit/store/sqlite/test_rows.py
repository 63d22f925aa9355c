"""Which statements a change makes."""

import msgspec
import pytest

from athena.store.retention import day_of
from athena.store.sqlite import rows
from athena.store.sqlite.writer import Execute, Insert, Statement
from athena.tasks.model import Failure, Status, Task
from tests.contract.store.making import NOW, changed, claim_for, ended, make_task, upload

TASK = make_task(1)
LIFE = 1000


def heads(statements: list[Statement]) -> list[str]:
    """The table that each is about."""
    texts = [each.head if isinstance(each, Insert) else each.sql for each in statements]
    words = [text.replace("OR IGNORE ", "").replace("OR REPLACE ", "").split() for text in texts]
    return [each[1] if each[0] == "UPDATE" else each[2] for each in words]


def saved(before: Task, after: Task, **how: object) -> list[Statement]:
    usual = {"durable": 1, "chained": False, "visible": False, "uploads": False}
    return rows.save(before, after, **{**usual, **how})  # type: ignore[arg-type]


def executed(statement: Statement) -> Execute:
    assert isinstance(statement, Execute)
    return statement


@pytest.mark.parametrize(
    ("reason", "kept"),
    [
        ("[Blocked] by them", "[Blocked]"),
        ("x" * 100, "x" * 80),
        ("[no end", "[no end"),
        ("a [b]", "a [b]"),
        ("[] more", "[]"),
        ("a] b", "a] b"),
        ("", ""),
    ],
)
def test_a_reason_is_kept_without_what_is_peculiar_to_it(reason: str, kept: str) -> None:
    assert rows.reason_of(ended(TASK, Status.FAILURE, failure=Failure(reason=reason))) == kept


def test_only_failures_have_a_reason() -> None:
    assert rows.reason_of(ended(TASK, failure=Failure(reason="x"))) is None
    assert rows.reason_of(ended(TASK, Status.FAILURE)) == ""


def test_a_new_task_is_one_row() -> None:
    (row,) = rows.add(TASK, [], None, LIFE)
    assert isinstance(row, Insert)
    assert row.row == (
        TASK.id, "1", "NOT_START", "IMAGINE", None, 0, 1, NOW + 1, None, None,
        msgspec.json.encode(TASK),
    )  # fmt: skip


def test_what_comes_with_a_new_task() -> None:
    task = make_task(1, token="t", trigger="77")
    statements = rows.add(task, [upload(), upload("two.png")], claim_for(task), LIFE)
    assert heads(statements) == [
        "tasks", "uploads", "uploads", "idempotency_records", "usage", "triggers",
    ]  # fmt: skip
    inserted = [each.row for each in statements if isinstance(each, Insert)]
    assert inserted[1:] == [
        (task.id, 0, "one.png", "image/png"),
        (task.id, 1, "two.png", "image/png"),
        ("t", day_of(NOW), 1),
        ("77", task.id),
    ]
    assert executed(statements[3]).values["life"] == LIFE
    assert isinstance(statements[4], Insert)
    assert statements[4].tail.endswith("DO UPDATE SET tasks = tasks + 1")


def test_a_task_that_has_ended_already_waits_for_the_index() -> None:
    statements = rows.add(ended(TASK), [], None, LIFE)
    assert heads(statements) == ["tasks", "unindexed"]
    assert executed(statements[1]).values == {"id": TASK.id}


@pytest.mark.parametrize(
    "fields",
    [
        {"account": "2"},
        {"status": Status.SUBMITTED},
        {"token": "t"},
        {"finished_at": 5},
    ],
)
def test_a_save_writes_the_columns_when_they_change(fields: dict[str, object]) -> None:
    (body,) = saved(TASK, changed(TASK, content="x"))
    assert "account" not in executed(body).values
    after = changed(TASK, **fields)
    (columns,) = saved(TASK, after)
    assert "account = :account" in executed(columns).sql
    assert executed(columns).conflict == "the task was changed by another save"
    assert executed(columns).values == {
        "id": TASK.id, "revision": 2, "body": msgspec.json.encode(after), "durable": 1,
        "before": 1, "account": after.account, "status": after.status, "action": after.action,
        "token": after.token, "ended": 0, "finished_at": after.finished_at, "reason": None,
    }  # fmt: skip
    (chained,) = saved(TASK, changed(TASK, content="x"), chained=True)
    assert "account = :account" in executed(chained).sql


def test_a_save_names_the_revisions_that_it_may_meet() -> None:
    before = changed(changed(TASK))
    after = changed(before, content="x")
    (save,) = saved(before, after, durable=2)
    values = executed(save).values
    assert (values["id"], values["durable"], values["before"], values["revision"]) == (
        TASK.id, 2, 3, 4,
    )  # fmt: skip
    assert values["body"] == msgspec.json.encode(after)
    assert executed(save).conflict == "the task was changed by another save"


@pytest.mark.parametrize(
    ("webhook", "visible", "told"),
    [("https://h", True, True), ("https://h", False, False), (None, True, False)],
)
def test_a_webhook_is_told_of_what_is_visible(
    webhook: str | None, visible: bool, told: bool
) -> None:
    after = changed(TASK, webhook=webhook)
    statements = saved(TASK, after, visible=visible)
    assert heads(statements) == ["tasks", *(["deliveries"] if told else [])]
    if told:
        assert executed(statements[1]).values == {
            "id": TASK.id, "revision": 2, "url": "https://h",
        }  # fmt: skip


def test_uploads_go_with_the_end() -> None:
    statements = saved(TASK, ended(TASK), uploads=True)
    assert heads(statements) == ["tasks", "uploads", "unindexed"]
    assert [executed(each).values for each in statements[1:]] == [{"id": TASK.id}] * 2
    assert heads(saved(TASK, changed(TASK), uploads=True)) == ["tasks"]


@pytest.mark.parametrize("name", ["prompt", "prompt_english", "final_prompt", "description"])
def test_an_ended_task_is_indexed_again_when_its_words_change(name: str) -> None:
    end = ended(TASK)
    assert heads(saved(end, changed(end, **{name: "new"}))) == ["tasks", "unindexed"]
    assert heads(saved(end, changed(end, seed="7"))) == ["tasks"]
    assert heads(saved(TASK, changed(TASK, **{name: "new"}))) == ["tasks"]


@pytest.mark.parametrize(
    ("before", "failure", "prompt", "kept"),
    [
        (TASK, Failure(reason="no", moderated=True), "cat", True),
        (TASK, Failure(reason="no"), "cat", False),
        (TASK, None, "cat", False),
        (TASK, Failure(reason="no", moderated=True), None, False),
        (ended(TASK), Failure(reason="no", moderated=True), "cat", False),
    ],
)
def test_prompts_that_the_bot_refused_are_kept_once(
    before: Task, failure: Failure | None, prompt: str | None, kept: bool
) -> None:
    after = ended(before, Status.FAILURE, failure=failure, prompt=prompt, finished_at=7)
    last = saved(before, after)[-1]
    assert (heads([last]) == ["refused_prompts"]) is kept
    if kept:
        assert executed(last).values == {"id": TASK.id, "at": 7, "prompt": "cat", "said": "no"}


def test_a_refused_prompt_has_at_least_the_moment_of_its_submit() -> None:
    failure = Failure(reason="no", moderated=True)
    after = ended(TASK, Status.FAILURE, failure=failure, finished_at=None)
    assert executed(saved(TASK, after)[-1]).values["at"] == TASK.submitted_at


def test_an_answer_to_a_modal_brings_uploads_and_its_key() -> None:
    assert rows.with_save("1", [], None, LIFE) == []
    both = rows.with_save("1", [upload()], claim_for(TASK), LIFE)
    assert heads(both) == ["uploads", "idempotency_records"]


def test_small_rows() -> None:
    claim = executed(rows.keep_claim(claim_for(TASK), LIFE))
    assert claim.values == {
        "key": "key", "at": NOW, "fingerprint": "f", "answer": TASK.id.encode(),
        "task_id": TASK.id, "life": LIFE,
    }  # fmt: skip
    assert claim.conflict == "the idempotency key is taken"
    file, cursor = rows.keep_file("n", "5", 7), rows.save_cursor("9", "50")
    assert (heads([file]), heads([cursor])) == (["uploaded_files"], ["channel_cursors"])
    assert isinstance(file, Insert)
    assert isinstance(cursor, Insert)
    assert (file.row, cursor.row) == (("n", "5", 7), ("9", "50"))
    assert heads([rows.delivered(TASK)]) == ["deliveries"]
    assert executed(rows.delivered(changed(TASK))).values == {"id": TASK.id, "revision": 2}


def test_a_removal_names_every_place() -> None:
    statements = rows.remove("1")
    assert {str(executed(each).values) for each in statements} == {"{'id': '1'}"}
    assert heads(statements) == [
        "task_terms", "unindexed", "task_texts", "tasks", "triggers", "deliveries",
        "refused_prompts", "idempotency_records", "uploads",
    ]  # fmt: skip
