"""The index in any order of calls: an id leads only to a task that owns it, and nothing leaks."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from msgspec.structs import replace
from tests.unit.tasks.making import new_task

from athena.tasks.bot_events import Evidence
from athena.tasks.matching import Ambiguous, Expected, Found, TaskIndex
from athena.tasks.model import Action, Bot, CorrelationIds, Sending, Task

NONCE = 1 << 60
LATER = str(NONCE + (1 << 40))
IDS = ("nonce", "interaction", "message", "progress_message", "job")

few = st.none() | st.sampled_from([LATER, LATER + "1", LATER + "2"])
task_ids = st.sampled_from(["1", "2", "3", "4", "5"])
prompts = st.none() | st.sampled_from(["a cat", "a dog"])
actions = st.sampled_from([Action.IMAGINE, Action.UPSCALE])
known_ids = st.builds(
    CorrelationIds,
    nonce=st.none() | st.integers(0, 3).map(lambda lag: str(NONCE + lag)),
    interaction=few,
    message=few,
    progress_message=st.none() | few,
    job=st.none() | few,
    parent_message=st.none() | few,
)
expectations = st.builds(
    Expected,
    actions=st.frozensets(actions, min_size=1),
    trigger=st.none() | st.sampled_from(["t1", "t2"]),
    file=st.none() | st.sampled_from(["f1", "f2"]),
    normalized=prompts,
    index=st.none() | st.integers(1, 2),
    kind=st.none() | actions,
)
evidences = st.builds(
    Evidence,
    message=few,
    nonce=st.none() | st.integers(0, 4).map(lambda lag: str(NONCE + lag)),
    interaction=few,
    parent_message=few,
    job=few,
    bot=st.none() | st.sampled_from(Bot),
    action=st.none() | actions,
    prompt=prompts,
    trigger=st.none() | st.sampled_from(["t1", "t2"]),
    file=st.none() | st.sampled_from(["f1", "f2"]),
    index=st.none() | st.integers(1, 2),
    own=st.booleans(),
)


class Machine(RuleBasedStateMachine):
    """A TaskIndex beside a plain dictionary of what it should know."""

    def __init__(self) -> None:
        super().__init__()
        self.index = TaskIndex(str)
        self.tasks: dict[str, tuple[Task, Expected]] = {}

    @rule(
        task_id=task_ids,
        ids=known_ids,
        expected=expectations,
        sending=st.sampled_from(Sending),
        bot=st.sampled_from(Bot),
    )
    def put(
        self, task_id: str, ids: CorrelationIds, expected: Expected, sending: Sending, bot: Bot
    ) -> None:
        task = new_task(id=task_id, ids=ids, sending=sending, bot=bot)
        self.index.put(task, expected)
        self.tasks[task_id] = task, expected

    @precondition(lambda self: self.tasks)
    @rule(data=st.data(), ids=known_ids, same=st.booleans())
    def update(self, data: st.DataObject, ids: CorrelationIds, same: bool) -> None:
        task, expected = self.tasks[data.draw(st.sampled_from(sorted(self.tasks)))]
        newer = replace(task, revision=task.revision + 1, ids=task.ids if same else ids)
        self.index.update(newer)
        self.tasks[task.id] = newer, expected

    @precondition(lambda self: self.tasks)
    @rule(data=st.data())
    def settle(self, data: st.DataObject) -> None:
        task, _ = self.tasks.pop(data.draw(st.sampled_from(sorted(self.tasks))))
        self.index.settle(task)

    @rule(task_id=task_ids)
    def drop(self, task_id: str) -> None:
        self.index.drop(task_id)
        self.tasks.pop(task_id, None)

    @rule(evidence=evidences)
    def find(self, evidence: Evidence) -> None:
        match self.index.find(evidence):
            case Found(task_id=task_id):
                assert self.owns(task_id, evidence) or self.fits(task_id, evidence)
            case Ambiguous(task_ids=several):
                assert len(set(several)) > 1
                assert all(self.fits(each, evidence) for each in several)

    @rule(task_id=task_ids)
    def blocker(self, task_id: str) -> None:
        if task_id not in self.tasks:
            return
        if other := self.index.blocker(task_id):
            assert other != task_id
            assert self.index.is_on_its_way(other)
            assert self.tasks[other][0].bot is self.tasks[task_id][0].bot

    def owns(self, task_id: str, evidence: Evidence) -> bool:
        """Whether one of the event's ids is this task's."""
        ids = self.tasks[task_id][0].ids
        pairs = {
            (evidence.nonce, ids.nonce),
            (evidence.interaction, ids.interaction),
            (evidence.message, ids.message),
            (evidence.message, ids.progress_message),
            (evidence.job, ids.job),
        }
        return any(told is not None and told == known for told, known in pairs)

    def fits(self, task_id: str, evidence: Evidence) -> bool:
        """Whether the event may be this task's although it holds none of its ids."""
        task, expected = self.tasks[task_id]
        if evidence.parent_message and evidence.parent_message in (
            task.ids.message,
            task.ids.progress_message,
        ):
            return evidence.bot in (None, task.bot) and evidence.interaction is None
        return (
            evidence.own
            and evidence.nonce is None
            and task.ids.nonce is not None
            and task.sending is not Sending.PREPARING
            and self.index.is_on_its_way(task_id)
            and evidence.bot in (None, task.bot)
            and (evidence.action is None or evidence.action in expected.actions)
        )

    @invariant()
    def every_id_leads_to_its_owner(self) -> None:
        for table in (
            self.index._by_nonce,
            self.index._by_interaction,
            self.index._by_message,
            self.index._by_job,
        ):
            for key, task_id in table.items():
                ids = self.tasks[task_id][0].ids
                assert key in [getattr(ids, name) for name in IDS]
        assert {each for each in task_ids_of(self.index) if each not in self.tasks} == set()
        assert all((each in self.index) == (each in self.tasks) for each in "12345")

    def teardown(self) -> None:
        for task_id in list(self.tasks):
            self.index.drop(task_id)
        tables = {name: it for name, it in vars(self.index).items() if isinstance(it, dict)}
        assert len(tables) == 12
        assert not {name for name, it in tables.items() if it and name != "_settled"}


def task_ids_of(index: TaskIndex) -> set[str]:
    """All that stand in the tables of what several tasks may share."""
    shared = (index._by_parent, index._by_prompt, index._by_trigger, index._by_file, index._by_kind)
    return {task_id for sets in shared for members in sets.values() for task_id in members}


TestIndex = Machine.TestCase
TestIndex.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
