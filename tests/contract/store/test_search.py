"""Searches: every filter, page by page, newest first, whatever is on its way to the disk."""

import asyncio
import string
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from athena.store.queries import Cursor, TaskFilter
from athena.store.repository import TaskRepository
from athena.tasks.model import Action, Failure, Status, Task
from tests.contract.store.backends import Backend, SqliteBackend
from tests.contract.store.making import NOW, changed, ended, make_task

PROMPTS = [
    "a cat on a roof --ar 16:9", "a Cathedral at night", "夜晚的猫，霓虹灯 --v 6", "猫",
    "ÜBER alles", "café au lait", "x", "1girl, Solo", "the  end", "日本語のテキスト",
]  # fmt: skip


async def fill(repository: TaskRepository, backend: Backend | None = None) -> list[Task]:
    """Tasks of every kind, newest first; half of them indexed when there is a backend."""
    tasks: list[Task] = []
    for number in range(40):
        task = make_task(
            number,
            submitted_at=NOW + number // 3,
            account="12"[number % 2],
            token=["one", "two", None][number % 3],
            action=[Action.IMAGINE, Action.UPSCALE][number // 2 % 2],
            prompt=PROMPTS[number % len(PROMPTS)],
            description=f"/imagine {number}",
        )
        await repository.add(task)
        if number % 4:
            status = [Status.FAILURE, Status.SUCCESS, Status.CANCEL][number % 3]
            await repository.save(task, task := ended(task, status, final_prompt=f"v {number}"))
        tasks.append(task)
        if backend and number == 20:
            await backend.index(repository)
    return sorted(tasks, key=lambda task: (task.submitted_at, task.id), reverse=True)


def expected(tasks: list[Task], wanted: TaskFilter, most: int, before: Cursor | None) -> list[Task]:
    found = [
        task
        for task in tasks
        if wanted.matches(task) and (before is None or (task.submitted_at, task.id) < before)
    ]
    return found[:most]


FILTERS = [
    TaskFilter(),
    TaskFilter(status="FAILURE"),
    TaskFilter(status="NOT_START"),
    TaskFilter(action="UPSCALE"),
    TaskFilter(account="2"),
    TaskFilter(token="one"),
    TaskFilter(since=NOW + 3, until=NOW + 9),
    TaskFilter(account="1", status="SUCCESS", action="IMAGINE", token="two"),
    TaskFilter(words="cat"),
    TaskFilter(words="cat", status="SUCCESS", since=NOW + 2),
    TaskFilter(words="猫", account="1"),
    TaskFilter(status="nothing is so"),
    TaskFilter(account="9", words="cat"),
    TaskFilter(words="nowhere at all"),
]


@pytest.mark.parametrize("wanted", FILTERS, ids=repr)
async def test_filters_and_pages(
    repository: TaskRepository, backend: Backend, wanted: TaskFilter
) -> None:
    tasks = await fill(repository, backend)
    for size in (1, 7, 100):
        before: Cursor | None = None
        while True:
            page = await repository.search(wanted, size, before)
            assert page == expected(tasks, wanted, size, before)
            if not page:
                break
            before = (page[-1].submitted_at, page[-1].id)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("cat", {0, 1}), ("CAT", {0, 1}), ("cat on", {0}), ("ath", {1}), ("猫", {2, 3}),
        ("的猫", {2}), ("霓虹灯", {2}), ("猫 霓虹", {2}), ("über", {4}), ("ü", {4}), ("É AU", {5}),
        ("x", {6}),
        ("--ar 16:9", {0}), ("16", {0}), ("1g", {7}), ("girl solo", {7}), ("the end", {8}),
        ("nd", {8}), ("テキスト", {9}), ("zzz", set()), ("??", set()), ("catx", set()),
        ("cat fé", set()),
    ],
)  # fmt: skip
async def test_words(
    repository: TaskRepository, backend: Backend, words: str, found: set[int]
) -> None:
    for number, prompt in enumerate(PROMPTS):
        await repository.add(task := make_task(number, id=f"{'b' * 10}{number}", prompt=prompt))
        await repository.save(task, ended(task, final_prompt=prompt))
    waiting = await repository.search(TaskFilter(words=words), 100)
    await backend.index(repository)
    indexed = await repository.search(TaskFilter(words=words), 100)
    assert waiting == indexed
    assert {int(task.id[10:]) for task in indexed} == found


@pytest.mark.parametrize("field", ["prompt", "prompt_english", "final_prompt", "description", "id"])
async def test_where_words_are_looked_for(
    repository: TaskRepository, backend: Backend, field: str
) -> None:
    fields = {"description": "", "prompt": "something", field: "zebra7"}
    await repository.add(task := make_task(1, **fields))
    assert await repository.search(TaskFilter(words="ebra7"), 9) == [task]
    await repository.save(task, done := ended(task))
    await backend.index(repository)
    assert await repository.search(TaskFilter(words="ebra7"), 9) == [done]


async def test_words_that_change_after_the_end_are_found(
    repository: TaskRepository, backend: Backend
) -> None:
    await repository.add(task := make_task(1))
    await repository.save(task, done := ended(task, prompt_english="before"))
    await backend.index(repository)
    await repository.save(done, after := changed(done, prompt_english="after"))
    for _ in range(2):
        assert await repository.search(TaskFilter(words="after"), 9) == [after]
        assert await repository.search(TaskFilter(words="before"), 9) == []
        await backend.index(repository)


async def test_a_task_that_waits_to_be_indexed_again_takes_one_place(
    repository: TaskRepository, backend: Backend
) -> None:
    tasks: list[Task] = []
    for number in range(3):
        await repository.add(task := make_task(number))
        await repository.save(task, task := ended(task))
        tasks.append(task)
    await backend.index(repository)
    await repository.save(tasks[2], again := changed(tasks[2], prompt_english="a cat"))
    assert await repository.search(TaskFilter(words="cat"), 2) == [again, tasks[1]]


async def test_a_search_sees_what_is_on_its_way_to_the_disk(
    backend: Backend, controlled: TaskRepository
) -> None:
    controlled.add(stays := make_task(1))
    controlled.add(fails := make_task(2))
    await backend.commit()
    failed = ended(fails, Status.FAILURE, failure=Failure(reason="no"))
    controlled.save(fails, failed)
    controlled.add(new := make_task(3))
    assert await controlled.search(TaskFilter(), 2) == [new, failed]
    assert await controlled.search(TaskFilter(status="FAILURE"), 9) == [failed]
    # A page stays full though one of its rows is of another state by now.
    assert await controlled.search(TaskFilter(status="NOT_START"), 2) == [new, stays]
    assert await controlled.search(TaskFilter(status="NOT_START", until=NOW + 3), 1) == [stays]
    assert await controlled.search(TaskFilter(words="cat 2"), 9) == [failed]
    assert await controlled.search(TaskFilter(), 9, (NOW + 3, new.id)) == [failed, stays]


async def test_a_search_ends_well_while_changes_are_committed(backend: Backend) -> None:
    repository = await backend.open()
    tasks = [make_task(n) for n in range(30)]
    await asyncio.gather(*(repository.add(task) for task in tasks))
    for task in tasks:
        saving = repository.save(task, ended(task, Status.FAILURE))
        found = await repository.search(TaskFilter(status="FAILURE"), 100)
        assert [each.id for each in found] == [f"{n:016}" for n in range(int(task.id), -1, -1)]
        await saving
    await repository.close()


texts = st.text(st.sampled_from("abA -猫夜é1_,ß" + string.ascii_lowercase[:3]), max_size=12)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(prompts=st.lists(texts, min_size=1, max_size=8), words=texts)
async def test_the_index_finds_what_reading_finds(
    tmp_path_factory: pytest.TempPathFactory, prompts: list[str], words: str
) -> None:
    folder: Path = tmp_path_factory.mktemp("words")
    backend: Backend = SqliteBackend(folder)
    repository = await backend.open()
    tasks = [make_task(n, prompt=prompt) for n, prompt in enumerate(prompts)]
    await asyncio.gather(*(repository.add(task) for task in tasks))
    done = [ended(task) for task in tasks]
    await asyncio.gather(*map(repository.save, tasks, done))
    await backend.index(repository)
    wanted = TaskFilter(words=words) if words else TaskFilter()
    assert await repository.search(wanted, 100) == expected(done[::-1], wanted, 100, None)
    await repository.close()
