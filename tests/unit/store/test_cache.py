"""The cache: indexes by account that always agree with the tasks."""

from hypothesis import given
from hypothesis import strategies as st

from athena.store.cache import TaskCache
from athena.tasks.model import Status, Task
from tests.contract.store.making import changed, make_task

steps = st.lists(
    st.tuples(
        st.integers(0, 6), st.sampled_from("12"), st.none() | st.sampled_from([*Status]),
    ),
    max_size=60,
)  # fmt: skip


@given(steps)
def test_it_agrees_with_a_plain_list(taken: list[tuple[int, str, Status | None]]) -> None:
    cache, most = TaskCache(most_ended=3), 3
    unfinished: dict[str, Task] = {}
    ended: dict[str, Task] = {}
    for number, account, status in taken:
        task = make_task(number, submitted_at=number % 3, account=account)
        if status is None:
            cache.drop(task.id)
            unfinished.pop(task.id, None)
            ended.pop(task.id, None)
            continue
        task = make_task(number, submitted_at=number % 3, account=account, status=status)
        cache.put(task)
        known = ended.get(task.id)
        if not (known and task.ended and known.account == account):
            ended.pop(task.id, None)
        unfinished.pop(task.id, None)
        (ended if task.ended else unfinished)[task.id] = task
        while len(ended) > most:
            ended.pop(next(iter(ended)))
    _agree(cache, unfinished, ended)


def _agree(cache: TaskCache, unfinished: dict[str, Task], ended: dict[str, Task]) -> None:
    ordered = sorted(unfinished.values(), key=lambda task: (task.submitted_at, task.id))
    assert cache.unfinished() == ordered
    assert cache.recent() == list(ended.values())
    for account in "123":
        of = [task for task in ordered if task.account == account]
        assert cache.unfinished(account) == of
        waiting = [task for task in of if task.status is not Status.MODAL]
        assert cache.unfinished_count(account) == len(waiting)
        recent = {task.id for task in cache.recent(account)}
        assert recent == {task.id for task in ended.values() if task.account == account}
    for number in range(7):
        task_id = make_task(number).id
        assert cache.get(task_id) == (unfinished.get(task_id) or ended.get(task_id))


def test_a_newer_state_of_an_ended_task_keeps_its_place() -> None:
    cache = TaskCache(most_ended=2)
    first, second = (make_task(n, status=Status.SUCCESS) for n in (1, 2))
    cache.put(first)
    cache.put(second)
    cache.put(changed(first, seed="7"))
    assert [task.id for task in cache.recent()] == [first.id, second.id]
    assert [task.seed for task in cache.recent("1")] == ["7", None]


def test_accounts_without_tasks_leave_nothing() -> None:
    cache = TaskCache()
    cache.unfinished_count("unknown")
    cache.recent("unknown")
    cache.put(make_task(1))
    cache.drop(make_task(1).id)
    cache.drop("unknown")
    assert not cache._accounts
