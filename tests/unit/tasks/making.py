"""Tasks and bot events that the tests of this folder share."""

from typing import Any

from athena.tasks import lifecycle
from athena.tasks.bot_events import Evidence, Finished, MessageContent, Progress
from athena.tasks.model import Action, Image, Task
from athena.tasks.requests import Imagine

NOW = 1_700_000_000_000


def new_task(**fields: Any) -> Task:
    known: dict[str, Any] = {
        "id": "1",
        "account": "10",
        "request": Imagine(prompt="a cat"),
        "action": Action.IMAGINE,
        "submitted_at": NOW,
    }
    return Task(**{**known, **fields})


def sent_task(**fields: Any) -> Task:
    return lifecycle.mark_sent(lifecycle.begin_sending(new_task(**fields), "77", NOW), NOW)


def progress(percent: int | None, message: str | None = "500", **shown: Any) -> Progress:
    return Progress(
        evidence=Evidence(message=message, job="job-1"),
        shown=MessageContent(**{"content": "…", **shown}),
        percent=percent,
    )


def finished(**fields: Any) -> Finished:
    image = Image(url="https://cdn/x.png", width=2048, height=2048)
    known: dict[str, Any] = {
        "evidence": Evidence(message="600", job="job-1", prompt="a cat --v 7.0"),
        "shown": MessageContent(content="done", image=image),
    }
    return Finished(**{**known, **fields})
