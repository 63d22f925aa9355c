"""Matches a bot event to the task that it belongs to, or to none.

Every key is a dictionary look-up, so the cost of an event does not grow with the number of tasks:
nonce, interaction id, message id, job id, then the pressed message for replies, then the
correlation tag in the prompt or the name of the file. The prompt is used only when nothing else
fits. If two tasks fit, none is chosen: a late image is found again in the history, a wrong one
stays wrong (contracts: midjourney-bot, section 4).

Two tasks whose first messages could be confused are not sent at the same time: `blocker` returns
the sent task for which another has to wait, until its job is known. So the match is unambiguous
even after a crash at any moment.

A contradicting id outranks a matching key: a reply with another interaction than that of our press
belongs to someone else.
"""

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from msgspec import Struct

from athena.tasks.bot_events import Evidence
from athena.tasks.model import Action, Sending, Task

_REMEMBERED = 50_000
"""Ids of ended tasks that are kept."""

SKEW = 10_000 << 22
"""How far Discord's clock may lag behind ours: ten seconds, as a difference of snowflakes.
Recovery reads the history back so far before the nonce."""


class Found(Struct, frozen=True):
    task_id: str


class Ambiguous(Struct, frozen=True):
    """Several tasks could be meant, so none is."""

    task_ids: tuple[str, ...]


class Nobody(Struct, frozen=True):
    """No task of ours."""


_Sets: TypeAlias = defaultdict[str, dict[str, None]]
"""Tasks by what they share; in the order of their coming, so that equal runs are equal."""

Match: TypeAlias = Found | Ambiguous | Nobody


class Expected(Struct, frozen=True, kw_only=True):
    """What the bot's first words on a task can look like, for when no id fits."""

    actions: frozenset[Action]
    trigger: str | None = None
    """The mark that was sent with its prompt."""
    file: str | None = None
    """The name of the file that it sends."""
    normalized: str | None = None
    """Its prompt's; None if the bot's wording is not known."""
    index: int | None = None
    """The image of the grid that its button names."""
    kind: Action | None = None
    """Where its answer shows nothing of what was asked: what kind of answer that is."""


class TaskIndex:
    """The keys of one account's unfinished tasks.

    `normalized` reduces a prompt to what survives the bot's rewriting; it is asked only at last.
    """

    def __init__(self, normalized: Callable[[str], str]) -> None:
        self._normalize = normalized
        self._tasks: dict[str, Task] = {}
        self._expected: dict[str, Expected] = {}
        self._taken: set[str] = set()
        """Tasks that are about to be sent and have no nonce yet."""
        self._settled: OrderedDict[str, None] = OrderedDict()
        self._by_nonce: dict[str, str] = {}
        self._by_interaction: dict[str, str] = {}
        self._by_message: dict[str, str] = {}
        self._by_job: dict[str, str] = {}
        self._by_parent: _Sets = defaultdict(dict)
        self._by_prompt: _Sets = defaultdict(dict)
        self._by_trigger: _Sets = defaultdict(dict)
        self._by_file: _Sets = defaultdict(dict)
        self._by_kind: _Sets = defaultdict(dict)

    def __contains__(self, task_id: str) -> bool:
        return task_id in self._tasks

    def update(self, task: Task) -> None:
        """Tell what is newly known of a task."""
        known = self._tasks[task.id]
        if known.ids == task.ids:
            self._tasks[task.id] = task
        else:
            self.put(task, self._expected[task.id])

    def put(self, task: Task, expected: Expected) -> None:
        """Add a task."""
        self.drop(task.id)
        self._tasks[task.id] = task
        self._expected[task.id] = expected
        for table, key in self._keys(task):
            table[key] = task.id
        if task.ids.nonce is not None:
            self._share(task, expected)

    def take(self, task_id: str) -> None:
        """A task is about to be sent: from now on others that could be confused with it wait."""
        self._taken.add(task_id)
        self._share(self._tasks[task_id], self._expected[task_id])

    def owns_message(self, message: str) -> bool:
        """Whether a message shows one of these tasks."""
        return message in self._by_message

    def settle(self, task: Task) -> None:
        """Forget an ended task, but remember that its ids belong to it and to no other task."""
        self.drop(task.id)
        for key in (task.ids.interaction, task.ids.message, task.ids.job):
            if key:
                self._settled[key] = None
        while len(self._settled) > _REMEMBERED:
            self._settled.popitem(last=False)

    def drop(self, task_id: str) -> None:
        """Forget a task and all its keys."""
        task = self._tasks.pop(task_id, None)
        if task is None:
            return
        self._taken.discard(task_id)
        for table, key in self._keys(task):
            if table.get(key) == task_id:
                del table[key]
        for sets, mark in self._marks(task, self._expected.pop(task_id)):
            _discard(sets, mark, task_id)

    def blocker(self, task_id: str) -> str | None:
        """A task on its way that the bot's first words on this one could be taken for."""
        task, expected = self._tasks[task_id], self._expected[task_id]
        for sets, mark in self._marks(task, expected):
            for other in sets.get(mark, ()):
                if other != task_id and self.is_on_its_way(other) and self._alike(other, task_id):
                    return other
        return None

    def is_on_its_way(self, task_id: str) -> bool:
        """Whether it is being sent, or was, and nothing of its job is known yet."""
        task = self._tasks.get(task_id)
        if task is None:
            return False
        known = task.ids
        begun = known.nonce is not None or task_id in self._taken
        return begun and known.job is None and known.progress_message is None

    def _alike(self, one: str, other: str) -> bool:
        task, expected = self._tasks[one], self._expected[one]
        known, wanted = self._tasks[other], self._expected[other]
        marks = (expected.trigger, wanted.trigger)
        return (
            task.bot is known.bot
            and not expected.actions.isdisjoint(wanted.actions)
            and _agree(expected.index, wanted.index)
            and (None in marks or marks[0] == marks[1])
        )

    def find(self, evidence: Evidence) -> Match:
        """The task that the evidence proves, if it proves exactly one."""
        if task_id := self._by_id(evidence):
            return Found(task_id)
        if evidence.nonce is not None or not evidence.own or self._is_settled(evidence):
            return Nobody()
        if evidence.parent_message:
            return self._by_reply(evidence.parent_message, evidence)
        if evidence.trigger:
            return self._only(self._by_trigger.get(evidence.trigger, ()), evidence)
        if evidence.file and (named := self._by_file.get(evidence.file)):
            return self._only(named, evidence)
        if evidence.prompt is not None:
            alike = self._by_prompt.get(self._normalize(evidence.prompt), ())
            return self._only(alike, evidence)
        if evidence.action is not None:
            return self._only(self._by_kind.get(evidence.action, ()), evidence)
        return Nobody()

    def _by_reply(self, replied: str, evidence: Evidence) -> Match:
        """A reply to a pressed message is a press's result; a reply to a running task's own
        message, unless some other interaction caused it, is about that task."""
        own = self._by_message.get(replied)
        if own and evidence.interaction is None and self._is_about(own, evidence):
            return Found(own)
        return self._only(self._by_parent.get(replied, ()), evidence)

    def _by_id(self, evidence: Evidence) -> str | None:
        for keys, key in (
            (self._by_nonce, evidence.nonce),
            (self._by_interaction, evidence.interaction),
            (self._by_message, evidence.message),
            (self._by_job, evidence.job),
        ):
            if key and (task_id := keys.get(key)):
                return task_id
        return None

    def _is_settled(self, evidence: Evidence) -> bool:
        keys = (evidence.interaction, evidence.message, evidence.job)
        return any(key in self._settled for key in keys if key)

    def _only(self, candidates: Iterable[str], evidence: Evidence) -> Match:
        fitting = tuple(c for c in candidates if self._could_be(c, evidence))
        if len(fitting) > 1 and evidence.prompt is not None:
            worded = (None, self._normalize(evidence.prompt))
            fitting = tuple(c for c in fitting if self._expected[c].normalized in worded)
        match fitting:
            case ():
                return Nobody()
            case (task_id,):
                return Found(task_id)
            case _:
                return Ambiguous(fitting)

    def _could_be(self, task_id: str, evidence: Evidence) -> bool:
        task, expected = self._tasks[task_id], self._expected[task_id]
        known = task.ids
        return (
            known.nonce is not None
            and task.sending is not Sending.PREPARING
            and known.job is None
            and known.progress_message is None
            and not _older(evidence.message, known.nonce)
            and not _older(evidence.interaction, known.nonce)
            and (evidence.action is None or evidence.action in expected.actions)
            and _agree(known.interaction, evidence.interaction)
            and _agree(task.bot, evidence.bot)
            and _agree(expected.index, evidence.index)
        )

    def _marks(self, task: Task, expected: Expected) -> Iterator[tuple[_Sets, str]]:
        """What several tasks may share, and where those that were sent are kept."""
        if task.ids.parent_message:
            yield self._by_parent, task.ids.parent_message
            return
        for sets, mark in (
            (self._by_trigger, expected.trigger),
            (self._by_file, expected.file),
            (self._by_prompt, expected.normalized),
            (self._by_kind, expected.kind),
        ):
            if mark is not None:
                yield sets, mark

    def _share(self, task: Task, expected: Expected) -> None:
        for sets, mark in self._marks(task, expected):
            sets[mark][task.id] = None

    def _is_about(self, task_id: str, evidence: Evidence) -> bool:
        task = self._tasks[task_id]
        return _agree(task.bot, evidence.bot) and _agree(task.ids.job, evidence.job)

    def _keys(self, task: Task) -> Iterator[tuple[dict[str, str], str]]:
        keys = task.ids
        for table, key in (
            (self._by_nonce, keys.nonce),
            (self._by_interaction, keys.interaction),
            (self._by_message, keys.message),
            (self._by_message, keys.progress_message),
            (self._by_job, keys.job),
        ):
            if key:
                yield table, key


def _agree(known: object | None, seen: object | None) -> bool:
    return known is None or seen is None or known == seen


def _older(seen: str | None, nonce: str) -> bool:
    """Whether a message or interaction was there before the task was sent; ids hold their hour."""
    return seen is not None and seen.isdecimal() and int(seen) + SKEW < int(nonce)


def _discard(sets: _Sets, key: str, task_id: str) -> None:
    if key not in sets:
        return
    sets[key].pop(task_id, None)
    if not sets[key]:
        del sets[key]
