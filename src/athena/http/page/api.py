"""The page's own API: the caller, search, statistics, webhooks, and settings that can be changed at
run time."""

from typing import Annotated

import msgspec
from litestar import delete, get, post, put
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import UNSET, Meta, Struct, UnsetType

from athena.errors import BadRequest
from athena.http.calls import Services
from athena.http.mj import responses
from athena.http.mj.admin import DeliveryView
from athena.http.mj.responses import Answer
from athena.http.mj.submits import TheCall, TheServices, owned
from athena.http.mj.task_view import TaskView, view
from athena.http.openapi import ERRORS, FOR_ADMINS, FOR_ONE
from athena.service.choosing import Rule
from athena.store.queries import TaskFilter
from athena.tasks.model import ImageLinks
from athena.version import __version__

_LATEST = 253_402_300_799_999
"""The last millisecond of the year 9999."""

Text = Annotated[str | None, QueryParameter(max_length=200)]
Moment = Annotated[int | None, QueryParameter(ge=0, le=_LATEST, description="Unix milliseconds.")]


class Me(Struct, kw_only=True, rename="camel"):
    """The caller."""

    role: str
    name: str | None
    is_open: bool
    """Nobody needs to sign in."""
    used_today: int | None
    daily_limit: int | None
    version: str


class Page(Struct, kw_only=True, rename="camel"):
    """Some tasks, newest first. `next` is the position of the next page; null at the end."""

    tasks: list[TaskView]
    next: str | None


class WebhookView(Struct, kw_only=True, rename="camel"):
    task: str
    delivery: DeliveryView


class HourView(Struct, kw_only=True, rename="camel"):
    begins: int
    made: int
    failed: int
    other: int


class Stats(Struct, kw_only=True, rename="camel"):
    """Statistics of some hours; times in seconds, from the request to the image."""

    hours: list[HourView]
    median: float | None
    slowest: float | None
    reasons: dict[str, int]


class SettingsView(Struct, kw_only=True, rename="camel"):
    """What can be changed while the server runs."""

    rule: Rule
    links: ImageLinks
    banned_words: str


class SettingsBody(Struct, kw_only=True, rename="camel"):
    rule: Rule | None = None
    links: ImageLinks | None = None
    banned_words: Annotated[str, Meta(max_length=200_000)] | UnsetType = UNSET


@get("/me", summary="Who calls", responses=ERRORS, sync_to_thread=False)
def me(services: TheServices, call: TheCall) -> Me:
    """The role of the token, and what is left of its day."""
    token = call.caller.token
    return Me(
        role=call.caller.role,
        name=token.name if token else None,
        is_open=services.authenticator.is_open,
        used_today=services.quotas.used(token) if token else None,
        daily_limit=token.daily_limit if token else None,
        version=__version__,
    )


@get("/task/search", summary="Search tasks", responses=ERRORS)
async def search(
    services: TheServices,
    call: TheCall,
    size: Annotated[int, QueryParameter(ge=1, le=500)] = 100,
    before: Annotated[str | None, QueryParameter(pattern=r"^\d{1,15}-\w{1,32}$")] = None,
    status: Text = None,
    action: Text = None,
    account: Text = None,
    text: Text = None,
    since: Moment = None,
    until: Moment = None,
) -> Page:
    """Newest first. `before` is the `next` of the page before."""
    moment, _, last = (before or "").partition("-")
    seen = (int(moment), last) if before else None
    wanted = TaskFilter(
        status=status, action=action, account=account, words=text, since=since, until=until
    )
    tasks = await services.queries.search(wanted, size, seen)
    ahead = f"{tasks[-1].submitted_at}-{tasks[-1].id}" if len(tasks) == size else None
    return Page(tasks=[view(task, call.links) for task in tasks], next=ahead)


@delete("/task/{task_id:str}", status_code=200, summary="Delete a task", responses=FOR_ONE)
async def forget(services: TheServices, call: TheCall, task_id: FromPath[str]) -> Answer:
    """Only a task that has ended, by its owner or an administrator."""
    task = await owned(services, call, task_id)
    await services.tasks.delete(task)
    return responses.success(task_id, call.language)


@get("/stats", summary="Statistics of the last hours", responses=FOR_ADMINS)
async def stats(
    services: TheServices, call: TheCall, hours: Annotated[int, QueryParameter(ge=1, le=168)] = 24
) -> Stats:
    """For administrators."""
    call.must_be_admin()
    found = await services.queries.statistics(hours)
    return Stats(
        hours=[HourView(**msgspec.structs.asdict(hour)) for hour in found.hours],
        median=found.median,
        slowest=found.p95,
        reasons=dict(found.reasons),
    )


@get("/hook/list", summary="The latest webhooks", responses=FOR_ADMINS, sync_to_thread=False)
def webhooks(services: TheServices, call: TheCall) -> list[WebhookView]:
    """For administrators: at most 200 tasks, with how the delivery to their webhook went."""
    call.must_be_admin()
    return [
        WebhookView(task=task, delivery=DeliveryView(**msgspec.structs.asdict(delivery)))
        for task, delivery in services.webhooks.known()[:200]
    ]


@post(
    "/hook/{task_id:str}/send",
    status_code=200,
    summary="Send a webhook again",
    responses=FOR_ADMINS,
)
async def send_webhook(services: TheServices, call: TheCall, task_id: FromPath[str]) -> Answer:
    """For administrators: the task's current state, at once."""
    call.must_be_admin()
    task = await services.queries.find(task_id)
    if not task.webhook:
        raise BadRequest(f"task {task_id} has no webhook")
    services.webhooks.send_again(task)
    return responses.success(task_id, call.language)


@get("/settings", summary="What can be changed at run time", responses=FOR_ADMINS)
async def settings(services: TheServices, call: TheCall) -> SettingsView:
    """For administrators."""
    call.must_be_admin()
    return _settings(services)


@put("/settings", status_code=200, summary="Change these settings", responses=FOR_ADMINS)
async def change_settings(
    services: TheServices, call: TheCall, data: JSONBody[SettingsBody]
) -> SettingsView:
    """For administrators. Banned words are stored in their file, the rest in the database."""
    call.must_be_admin()
    await services.preferences.change(rule=data.rule, links=data.links)
    if data.banned_words is not UNSET:
        services.banned.replace_own(data.banned_words)
    return _settings(services)


HANDLERS = (me, search, forget, stats, webhooks, send_webhook, settings, change_settings)


def _settings(services: Services) -> SettingsView:
    wanted = services.preferences
    return SettingsView(rule=wanted.rule, links=wanted.links, banned_words=services.banned.own())
