"""The `/mj` dialect: tasks, and the router of it all (contracts: mj-dialect, section 7)."""

from typing import Annotated

from litestar import Response, Router, get, post
from litestar.params import JSONBody, Parameter

from athena.engine.refusals import UnknownTask
from athena.http import mj_bodies as bodies
from athena.http import mj_submits
from athena.http import mj_words as words
from athena.http.mj_submits import Call, TheDesk, language_of
from athena.http.mj_task import TaskView, view
from athena.http.mj_words import Answer

TaskId = Annotated[str, Parameter(description="Sixteen digits, as a submit answered.")]


@get("/task/{task_id:str}/fetch", summary="A task as it is now")
async def fetch(desk: TheDesk, task_id: TaskId) -> TaskView:
    """404 with code 3 when there is no such task."""
    return view(await desk.find(task_id))


@post("/task/list-by-condition", status_code=200, summary="Several tasks at once")
async def list_by_condition(desk: TheDesk, data: JSONBody[bodies.ConditionBody]) -> list[TaskView]:
    """Unknown ids are left out."""
    return [view(task) for task in await desk.store.find_many(data.ids)]


@post("/task/{task_id:str}/cancel", status_code=200, summary="End a task")
async def cancel(desk: TheDesk, task_id: TaskId) -> TaskView:
    """The running job is cancelled at Midjourney too."""
    return view(await desk.cancel(task_id))


@get("/task/{task_id:str}/image-seed", summary="The seed of a finished task's job")
async def image_seed(request: Call, desk: TheDesk, task_id: TaskId) -> Answer:
    """Asked of Midjourney the first time, which takes a few seconds."""
    return words.success(await desk.seed(task_id), language_of(request))


def not_found(request: Call, error: UnknownTask) -> Response[Answer]:
    """Code 3, with the status that the newest servers of this dialect give."""
    return Response(words.refused(error, language_of(request)), status_code=404)


def router() -> Router:
    """Every path of the dialect, to be mounted under a prefix."""
    handlers = [*mj_submits.HANDLERS, fetch, list_by_condition, cancel, image_seed]
    return Router("/mj", route_handlers=handlers, tags=["mj"])
