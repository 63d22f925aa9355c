"""The `/mj` dialect: submits, tasks (contracts: mj-dialect, sections 2, 3 and 7)."""

import re
from typing import Annotated

from litestar import Request, Response, Router, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import JSONBody, Parameter

from athena.delivery.guard import BadHook, check_hook
from athena.engine.desk import Accepted, Desk, Wishes
from athena.engine.refusals import BadRequest, UnknownTask
from athena.http import mj_bodies as bodies
from athena.http import mj_words as words
from athena.http.mj_task import TaskView, view
from athena.http.mj_words import Answer, Language
from athena.http.pictures_in import decode_all
from athena.settings import HookSettings
from athena.tasks.model import Action, Bot

TaskId = Annotated[str, Parameter(description="Sixteen digits, as a submit answered.")]
Call = Request[None, None, State]
TheDesk = NamedDependency[Desk]
TheHooks = NamedDependency[HookSettings]

_SIMPLE = re.compile(r"\s*(\d+)\s+([UV])([1-4])\s*|\s*(\d+)\s+R\s*", re.IGNORECASE)


@post("/submit/imagine", status_code=200, summary="Make pictures of a text")
async def imagine(
    request: Call, desk: TheDesk, hooks: TheHooks, data: JSONBody[bodies.ImagineBody]
) -> Answer:
    """Pictures are uploaded and their links put before the prompt."""
    return await take_imagine(desk, hooks, data, _language(request))


async def take_imagine(
    desk: Desk, hooks: HookSettings, data: bodies.ImagineBody, language: Language
) -> Answer:
    """The same for the front door, which decodes small bodies by itself. Raises as the desk."""
    wishes = _wishes(hooks, data.notify_hook, data.state, data.bot)
    uploads = decode_all(data.pictures, "picture")
    return words.accepted(await desk.imagine(data.prompt, uploads, wishes), language)


@post("/submit/action", status_code=200, summary="Press a button of a finished task")
async def action(
    request: Call,
    desk: TheDesk,
    hooks: TheHooks,
    data: JSONBody[bodies.ActionBody],
) -> Answer:
    """`customId` is one of the task's `buttons`."""
    wishes = _wishes(hooks, data.notify_hook, data.state)
    return _answer(request, await desk.press(data.task_id, data.custom_id, wishes))


@post("/submit/change", status_code=200, summary="Upscale, vary or reroll by number")
async def change(
    request: Call,
    desk: TheDesk,
    hooks: TheHooks,
    data: JSONBody[bodies.ChangeBody],
) -> Answer:
    """The older form of an action."""
    wishes = _wishes(hooks, data.notify_hook, data.state)
    index = None if data.action == "REROLL" else data.index
    if index is None and data.action != "REROLL":
        raise BadRequest("index: a number from 1 to 4 is needed")
    done = await desk.press_numbered(data.task_id, Action(data.action), index, wishes)
    return _answer(request, done)


@post("/submit/simple-change", status_code=200, summary="The same in one line")
async def simple_change(
    request: Call,
    desk: TheDesk,
    hooks: TheHooks,
    data: JSONBody[bodies.SimpleChangeBody],
) -> Answer:
    """`content` is the task's id and U1 to U4, V1 to V4, or R."""
    wishes = _wishes(hooks, data.notify_hook, data.state)
    task_id, what, index = _simple(data.content)
    return _answer(request, await desk.press_numbered(task_id, what, index, wishes))


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


def not_found(request: Call, error: UnknownTask) -> Response[Answer]:
    """Code 3, with the status that the newest servers of this dialect give."""
    return Response(words.refused(error, _language(request)), status_code=404)


def router() -> Router:
    """Every path of the dialect, to be mounted under a prefix."""
    handlers = [
        imagine, action, change, simple_change, fetch, list_by_condition, cancel,
    ]  # fmt: skip
    return Router("/mj", route_handlers=handlers, tags=["mj"])


def _answer(request: Call, done: Accepted) -> Answer:
    return words.accepted(done, _language(request))


def _language(request: Call) -> Language:
    return Language.of(request.headers.get("accept-language"))


def _wishes(
    hooks: HookSettings, hook: str | None, state: str | None, bot: Bot = Bot.MIDJOURNEY
) -> Wishes:
    if hook:
        try:
            check_hook(hook, allow_loopback=hooks.allow_loopback)
        except BadHook as error:
            raise BadRequest(str(error)) from error
    return Wishes(state=state, hook=hook or hooks.url or None, bot=bot)


def _simple(content: str) -> tuple[str, Action, int | None]:
    found = _SIMPLE.fullmatch(content)
    if found is None:
        raise BadRequest("content: must be a task id and U1 to U4, V1 to V4, or R")
    if found[4]:
        return found[4], Action.REROLL, None
    what = Action.UPSCALE if found[2].upper() == "U" else Action.VARIATION
    return found[1], what, int(found[3])
