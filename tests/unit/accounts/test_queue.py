"""Queue and slots: whatever happens in whatever order, every task has one place and none is
lost."""

from itertools import count

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from msgspec.structs import replace

from athena.accounts.queue import TaskQueue
from athena.clock import TurnableClock
from athena.midjourney import commands, prompts
from athena.tasks import lifecycle
from athena.tasks.bot_events import Evidence, Finished, MessageContent, Progress
from athena.tasks.matching import Found, TaskIndex
from athena.tasks.model import CorrelationIds, Sending, Status, Task
from athena.tasks.requests import Imagine, ModalReply, Press
from tests.unit.fakes import make_task, modal, sent

SLOTS = 2


@pytest.fixture
def queue() -> TaskQueue:
    return new_queue()


def new_queue() -> TaskQueue:
    return TaskQueue(TaskIndex(prompts.normalized), commands.expected)


def begun(task: Task, nonce: str, now: int) -> Task:
    return lifecycle.begin_sending(task, nonce, now)


def test_tasks_go_in_the_order_of_their_coming_and_only_into_free_slots(queue: TaskQueue) -> None:
    tasks = [make_task(n) for n in range(3)]
    for task in tasks:
        queue.update(task, 0)
    assert [queue.next(SLOTS), queue.next(SLOTS), queue.next(SLOTS)] == [*tasks[:2], None]
    assert (queue.running_count, queue.waiting_count) == (2, 1)
    queue.update(lifecycle.fail(tasks[0], "no", 1), 1)
    assert queue.next(SLOTS) is tasks[2]


def test_a_state_that_is_not_newer_changes_nothing(queue: TaskQueue, clock: TurnableClock) -> None:
    task = make_task()
    queue.update(task, 0)
    running = sent(task, "77", clock)
    queue.update(running, 0)
    queue.update(task, 0)
    assert queue.place_of(task.id) == "running"


def test_a_task_being_prepared_keeps_its_slot_while_it_is_translated(queue: TaskQueue) -> None:
    task = make_task()
    queue.update(task, 0)
    assert queue.next(SLOTS) is task
    queue.update(lifecycle.translated(task, task.request, "a cat"), 0)
    assert queue.place_of(task.id) == "running"


def test_a_task_that_is_put_back_gives_its_slot_to_others_and_comes_later(
    queue: TaskQueue, clock: TurnableClock
) -> None:
    first, second = make_task(1), make_task(2)
    queue.update(first, clock.now())
    queue.next(SLOTS)
    running = sent(first, "77", clock)
    queue.update(running, clock.now())
    queue.update(lifecycle.put_back(running, clock.now(), 5_000), clock.now())
    queue.update(second, clock.now())
    assert queue.place_of(first.id) == "delayed"
    assert queue.running_count == 0
    assert not queue.wake_delayed(clock.now() + 4_999)
    assert queue.wake_delayed(clock.now() + 5_000)
    assert queue.next(SLOTS).id == first.id  # type: ignore[union-attr]


def test_a_task_that_was_never_sent_gives_its_slot_back_when_it_is_put_back(
    queue: TaskQueue,
) -> None:
    task = make_task()
    queue.update(task, 0)
    queue.next(SLOTS)
    queue.update(lifecycle.put_back(task, 0, 0), 0)
    assert (queue.running_count, queue.place_of(task.id)) == (0, "waiting")


def test_those_that_were_blocked_go_before_tasks_that_came_later(
    queue: TaskQueue, clock: TurnableClock
) -> None:
    """M15 of the findings."""
    first = make_task(1, prompt="a cat")
    queue.update(first, 0)
    queue.next(3)
    on_its_way = begun(first, str(clock.now() << 22), 0)
    queue.update(on_its_way, 0)
    alike = [make_task(n, prompt="a cat") for n in (2, 3)]
    for task in alike:
        queue.update(task, 0)
    assert queue.next(3) is None
    assert [queue.place_of(task.id) for task in alike] == ["blocked", "blocked"]
    later = make_task(4, prompt="a dog")
    queue.update(later, 0)
    known = replace(
        on_its_way, ids=replace(on_its_way.ids, job="job"), revision=on_its_way.revision + 1
    )
    queue.update(known, 0)
    assert queue.next(3) is alike[0]
    assert queue.next(3) is later


def test_two_alike_are_not_sent_at_once_even_while_the_first_is_prepared(queue: TaskQueue) -> None:
    """The first may upload its images for a while before it has a nonce."""
    alike = [make_task(n, prompt="a cat") for n in (1, 2)]
    for task in alike:
        queue.update(task, 0)
    assert queue.next(SLOTS) is alike[0]
    assert queue.next(SLOTS) is None
    queue.update(lifecycle.put_back(alike[0], 0, 5_000), 0)
    assert queue.next(SLOTS) is alike[1]


def test_those_behind_a_deleted_or_moved_task_go_on(queue: TaskQueue, clock: TurnableClock) -> None:
    """Finding 12."""
    first = make_task(1, prompt="a cat")
    queue.update(first, 0)
    queue.next(SLOTS)
    queue.update(begun(first, "77", 0), 0)
    alike = make_task(2, prompt="a cat")
    queue.update(alike, 0)
    assert queue.next(SLOTS) is None
    queue.drop(first.id)
    assert queue.next(SLOTS) is alike


def test_a_cancelled_task_whose_job_may_come_blocks_its_like_until_it_is_over(
    queue: TaskQueue,
) -> None:
    task = make_task(1, prompt="a cat")
    queue.update(task, 0)
    queue.next(SLOTS)
    running = begun(task, "77", 0)
    queue.update(running, 0)
    cancelled = lifecycle.cancel(running, 1_000)
    queue.update(cancelled, 1_000)
    assert (queue.running_count, queue.place_of(task.id)) == (0, "orphaned")
    alike = make_task(2, prompt="a cat")
    queue.update(alike, 1_000)
    assert queue.next(SLOTS) is None
    assert queue.expired_orphans(1_000 + task.idle_timeout - 1) == []
    assert queue.expired_orphans(1_000 + task.idle_timeout) == [cancelled]
    queue.update(lifecycle.job_cancelled(cancelled), 2_000)
    assert queue.place_of(task.id) is None
    assert queue.next(SLOTS) is alike


def test_modals_take_no_slot_and_no_place_until_they_are_confirmed(queue: TaskQueue) -> None:
    task = modal(1, deadline=50)
    queue.update(task, 0)
    assert (queue.place_of(task.id), queue.running_count, queue.waiting_count) == ("modal", 0, 0)
    assert queue.overdue(49) == []
    assert queue.overdue(50) == [task]
    assert isinstance(task.request, Press)
    queue.update(lifecycle.confirm(task, task.request, ModalReply(prompt="a cat --zoom 2")), 0)
    assert queue.place_of(task.id) == "waiting"


def test_only_running_and_modal_tasks_are_watched(queue: TaskQueue, clock: TurnableClock) -> None:
    task = make_task()
    queue.update(task, clock.now())
    queue.next(SLOTS)
    running = sent(task, "77", clock)
    queue.update(running, clock.now())
    assert running.deadline is not None
    assert queue.overdue(running.deadline - 1) == []
    assert queue.overdue(running.deadline) == [running]
    assert queue.on_their_way() == [running]


def test_a_task_that_is_being_prepared_is_neither_on_its_way_nor_overdue(
    queue: TaskQueue,
) -> None:
    queue.update(make_task(), 0)
    queue.next(SLOTS)
    assert queue.on_their_way() == []
    assert queue.overdue(1 << 50) == []


def test_a_translated_task_is_known_by_its_new_prompt_and_blocks_its_like(
    queue: TaskQueue,
) -> None:
    task = make_task(1, prompt="一只猫")
    queue.update(task, 0)
    queue.next(SLOTS)
    english = lifecycle.translated(task, Imagine(prompt="a cat"), "a cat")
    queue.update(english, 0)
    alike = make_task(2, prompt="a cat")
    queue.update(alike, 0)
    assert queue.next(SLOTS) is None
    assert queue.place_of(alike.id) == "blocked"
    queue.update(begun(english, str(1 << 40), 0), 0)
    seen = Evidence(message=str(2 << 40), prompt="a cat")
    assert queue._index.find(seen) == Found(task.id)


def test_a_task_that_was_translated_while_it_waits_waits_once(queue: TaskQueue) -> None:
    task = make_task()
    queue.update(task, 0)
    queue.update(lifecycle.with_note(task, "a note"), 0)
    assert queue.waiting_count == 1


def test_a_task_that_is_put_back_without_a_pause_is_the_next(queue: TaskQueue) -> None:
    first, second = make_task(1), make_task(2)
    for task in (first, second):
        queue.update(task, 0)
    queue.next(SLOTS)
    back = lifecycle.put_back(first, 0, 0)
    queue.update(back, 0)
    assert queue.next(SLOTS) is back


def test_those_that_are_blocked_stay_so_until_the_job_is_known(queue: TaskQueue) -> None:
    first, alike = make_task(1, prompt="a cat"), make_task(2, prompt="a cat")
    for task in (first, alike):
        queue.update(task, 0)
    queue.next(SLOTS)
    assert queue.next(SLOTS) is None
    running = begun(first, "77", 0)
    queue.update(running, 0)
    queue.update(lifecycle.mark_sent(running, 0), 0)
    assert queue.place_of(alike.id) == "blocked"


def test_a_blocked_task_that_goes_leaves_the_others_in_their_order(queue: TaskQueue) -> None:
    first, gone, other = (make_task(n, prompt="a cat") for n in (1, 2, 3))
    for task in (first, gone, other):
        queue.update(task, 0)
    queue.next(SLOTS)
    assert queue.next(SLOTS) is None
    queue.drop(gone.id)
    assert queue.waiting_count == 1
    queue.drop(first.id)
    assert queue.next(SLOTS) is other
    assert not queue.is_orphaned(other.id)


def test_a_cancelled_task_whose_job_is_known_waits_for_nothing(queue: TaskQueue) -> None:
    task = make_task()
    queue.update(task, 0)
    queue.next(SLOTS)
    running = begun(task, "77", 0)
    known = replace(running, ids=replace(running.ids, job="job"), revision=running.revision + 1)
    queue.update(known, 0)
    queue.update(lifecycle.cancel(known, 1), 1)
    assert queue.place_of(task.id) is None
    assert queue._tasks == {}


def test_a_cancelled_task_that_is_taken_up_again_still_blocks_its_like(queue: TaskQueue) -> None:
    """After a restart its job may still come."""
    task = lifecycle.cancel(begun(make_task(1, prompt="a cat"), "77", 0), 1)
    queue.update(task, 1)
    assert queue.place_of(task.id) == "orphaned"
    assert queue.on_their_way() == [task]
    assert queue._index.find(Evidence(nonce="77")) == Found(task.id)
    queue.update(make_task(2, prompt="a cat"), 1)
    assert queue.next(SLOTS) is None


class Rules(RuleBasedStateMachine):
    """Running + waiting + modal + ended = accepted, and an ended task holds no place."""

    def __init__(self) -> None:
        super().__init__()
        self.queue = new_queue()
        self.now = 1_700_000_000_000
        self.tasks: dict[str, Task] = {}
        self.nonce = 0
        self.numbers = count()

    def _put(self, task: Task) -> None:
        self.tasks[task.id] = task
        self.queue.update(task, self.now)

    def _pick(self, data: st.DataObject, *places: str) -> Task | None:
        found = [t for t in self.tasks.values() if self.queue.place_of(t.id) in places]
        return data.draw(st.sampled_from(found)) if found else None

    @rule(prompt=st.sampled_from(["a cat", "a dog", "a fox"]))
    def submit(self, prompt: str) -> None:
        self._put(make_task(next(self.numbers), prompt=prompt))

    @rule()
    def open_modal(self) -> None:
        self._put(modal(next(self.numbers), deadline=self.now + 1_000))

    @rule(data=st.data())
    def send(self, data: st.DataObject) -> None:
        task = self.queue.next(SLOTS)
        if task is None:
            return
        assert self.tasks[task.id] is task
        self.nonce += 1
        if data.draw(st.booleans()):
            nonce = str((self.now << 22) + self.nonce)
            self._put(lifecycle.mark_sent(begun(task, nonce, self.now), self.now))
        else:
            self._put(lifecycle.put_back(task, self.now, data.draw(st.sampled_from([0, 5_000]))))

    @rule(data=st.data())
    def progress(self, data: st.DataObject) -> None:
        if (task := self._pick(data, "running")) and task.sending is Sending.SENT:
            seen = Evidence(message=f"{task.id}9", job=f"job-{task.id}")
            event = Progress(evidence=seen, shown=MessageContent(), percent=30)
            self._put(lifecycle.advance(task, event, self.now))

    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        if (task := self._pick(data, "running")) and task.sending is Sending.SENT:
            seen = Evidence(message=f"{task.id}8", job=f"job-{task.id}")
            event = Finished(evidence=seen, shown=MessageContent())
            self._put(lifecycle.advance(task, event, self.now))

    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        places = "running", "waiting", "blocked", "delayed", "modal"
        if task := self._pick(data, *places):
            self._put(lifecycle.cancel(task, self.now))

    @rule(data=st.data())
    def come_back_later(self, data: st.DataObject) -> None:
        if (task := self._pick(data, "running")) and task.sending is Sending.SENT:
            self._put(lifecycle.put_back(task, self.now))

    @rule(data=st.data())
    def move_or_delete(self, data: st.DataObject) -> None:
        if task := self._pick(data, "waiting", "blocked", "delayed", "orphaned", "running"):
            self.queue.drop(task.id)
            del self.tasks[task.id]

    @rule(data=st.data())
    def tell_again(self, data: st.DataObject) -> None:
        if self.tasks:
            task = data.draw(st.sampled_from(list(self.tasks.values())))
            if not task.ended or self.queue.is_orphaned(task.id):
                self.queue.update(task, self.now)

    @rule(millis=st.sampled_from([1, 5_000, 400_000]))
    def pass_time(self, millis: int) -> None:
        self.now += millis
        self.queue.wake_delayed(self.now)
        for task in self.queue.expired_orphans(self.now):
            self._put(lifecycle.job_cancelled(task))

    @invariant()
    def every_task_has_one_place(self) -> None:
        queue = self.queue
        open_tasks = [task for task in self.tasks.values() if not task.ended]
        modals = [task for task in open_tasks if task.status is Status.MODAL]
        assert queue.running_count + queue.waiting_count + len(modals) == len(open_tasks)
        assert all(queue.place_of(task.id) for task in open_tasks)
        ended = (task for task in self.tasks.values() if task.ended)
        assert all(queue.place_of(task.id) in (None, "orphaned") for task in ended)

    @invariant()
    def no_more_run_than_there_are_slots(self) -> None:
        assert self.queue.running_count <= SLOTS

    @invariant()
    def who_is_blocked_is_blocked_by_a_task_on_its_way(self) -> None:
        for blocker in self.queue._blocked:
            assert self.queue._index.is_on_its_way(blocker)

    def teardown(self) -> None:
        """When all have ended or gone, nothing is left."""
        for task in list(self.tasks.values()):
            self.queue.drop(task.id)
        queue = self.queue
        assert (queue.running_count, queue.waiting_count) == (0, 0)
        assert not queue._tasks
        assert not queue._blocked


TestRules = Rules.TestCase
TestRules.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def test_an_adopted_task_that_was_sent_runs_at_once(queue: TaskQueue, clock: TurnableClock) -> None:
    running = sent(make_task(), "77", clock)
    queue.update(running, clock.now())
    assert queue.place_of(running.id) == "running"
    ended = replace(make_task(2), status=Status.SUCCESS, ids=CorrelationIds(message="60"))
    queue.update(ended, clock.now())
    assert queue.place_of(ended.id) is None
