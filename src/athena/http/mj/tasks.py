"""Tasks in the `/mj` API (contracts: mj-dialect, section 7), and event streams."""

from collections.abc import AsyncIterator
from typing import Annotated

from litestar import get, post
from litestar.params import HeaderParameter, JSONBody, PathParameter, QueryParameter
from litestar.response import ServerSentEvent
from litestar.response.sse import ServerSentEventMessage

from athena.http.calls import Call
from athena.http.events import FeedEvent
from athena.http.mj import bodies, responses
from athena.http.mj.responses import Answer
from athena.http.mj.submits import TheCall, TheServices, owned
from athena.http.mj.task_view import TaskView, render, view
from athena.http.openapi import ERRORS, FOR_ONE
from athena.store.queries import TaskFilter
from athena.tasks.model import Task

TaskId = Annotated[str, PathParameter(description="Sixteen digits, as a submit answered.")]
Wait = Annotated[
    float | None,
    QueryParameter(
        ge=0, le=120, description="Seconds to wait for the next change; none comes back at once."
    ),
]
LastEvent = Annotated[str | None, HeaderParameter(name="Last-Event-ID")]
Most = Annotated[int, QueryParameter(ge=1, le=1000)]


@get(
    "/task/{task_id:str}/fetch", summary="A task as it is, or at its next change", responses=FOR_ONE
)
async def fetch(
    services: TheServices, call: TheCall, task_id: TaskId, wait: Wait = None
) -> TaskView:
    """404 with code 3 when there is no such task."""
    task = await services.queries.find(task_id)
    if wait and not task.ended:
        task = await services.feed.next_change(task, wait)
    task = await services.renewal.one(task)
    return view(task, call.links)


@post("/task/list-by-condition", status_code=200, summary="Several tasks at once", responses=ERRORS)
async def list_by_condition(
    services: TheServices, call: TheCall, data: JSONBody[bodies.ConditionBody]
) -> list[TaskView]:
    """Unknown ids are left out."""
    return await _views(services, call, await services.queries.find_many(data.ids))


@post("/task/list-by-ids", status_code=200, summary="The same", responses=ERRORS)
async def list_by_ids(
    services: TheServices, call: TheCall, data: JSONBody[bodies.ConditionBody]
) -> list[TaskView]:
    """Unknown ids are left out."""
    return await _views(services, call, await services.queries.find_many(data.ids))


@get("/task/list", summary="The newest tasks", responses=ERRORS)
async def newest(services: TheServices, call: TheCall, size: Most = 100) -> list[TaskView]:
    """Newest first."""
    return await _views(services, call, await services.queries.search(TaskFilter(), size))


@get("/task/queue", summary="Tasks that wait or run", responses=ERRORS)
async def queue(services: TheServices, call: TheCall) -> list[TaskView]:
    """In the order in which they were submitted."""
    return [view(task, call.links) for task in services.queries.unfinished()]


@post("/task/{task_id:str}/cancel", status_code=200, summary="End a task", responses=FOR_ONE)
async def cancel(services: TheServices, call: TheCall, task_id: TaskId) -> TaskView:
    """The running job is cancelled at Midjourney too."""
    await owned(services, call, task_id)
    return view(await services.tasks.cancel(task_id), call.links)


@get(
    "/task/{task_id:str}/image-seed", summary="The seed of a finished task's job", responses=FOR_ONE
)
async def image_seed(services: TheServices, call: TheCall, task_id: TaskId) -> Answer:
    """Requested from Midjourney the first time, which takes a few seconds."""
    await owned(services, call, task_id)
    return responses.success(await services.tasks.seed(task_id), call.language)


@get(
    "/task/{task_id:str}/events",
    summary="A task's changes as server-sent events",
    responses=FOR_ONE,
)
async def task_events(services: TheServices, call: TheCall, task_id: TaskId) -> ServerSentEvent:
    """The task as it is, then every change; the stream ends with the task."""
    task = await services.queries.find(task_id)
    return ServerSentEvent(_events(services.feed.of_task(task), call))


@get("/events", summary="All tasks' changes as server-sent events", responses=ERRORS)
async def events(
    services: TheServices, call: TheCall, last_event: LastEvent = None
) -> ServerSentEvent:
    """`task` events; `Last-Event-ID` goes on where a stream broke off. A `sync` event means that
    too much was missed: read the list again."""
    number = int(last_event) if last_event and last_event.isdecimal() else None
    return ServerSentEvent(_events(services.feed.since(number), call))


HANDLERS = (
    fetch, list_by_condition, list_by_ids, newest, queue, cancel, image_seed, task_events, events,
)  # fmt: skip


async def _views(services: TheServices, call: TheCall, tasks: list[Task]) -> list[TaskView]:
    return [view(task, call.links) for task in await services.renewal.renewed(tasks)]


async def _events(
    feed: AsyncIterator[FeedEvent], call: Call
) -> AsyncIterator[ServerSentEventMessage]:
    async for each in feed:
        data = render(each.task, call.links).decode() if each.task else "{}"
        event = "task" if each.task else "sync"
        yield ServerSentEventMessage(data=data, event=event, id=str(each.number))
