"""The `/mj` API for administrators: accounts (contracts: mj-dialect, section 8), tokens, and
what a task's user is not shown.
"""

from typing import Annotated, Any, Literal

import msgspec
from litestar import delete, get, post, put
from litestar.params import FromPath, JSONBody
from msgspec import UNSET, Meta, Struct, UnsetType

from athena.errors import BadRequest, NoAccount
from athena.http.mj import responses
from athena.http.mj.bodies import Mode
from athena.http.mj.responses import Answer
from athena.http.mj.submits import TheCall, TheServices
from athena.http.mj.task_view import TaskView, view
from athena.http.openapi import FOR_ADMINS
from athena.service.accounts import AccountReport
from athena.store.tokens import Token


class AccountBody(Struct, kw_only=True, rename="camel"):
    """Settings of an account; those left out keep their values."""

    guild_id: str | UnsetType = UNSET
    channel_id: str | UnsetType = UNSET
    user_token: Annotated[str, Meta(description="Never returned.")] | UnsetType = UNSET
    user_agent: str | UnsetType = UNSET
    enable: bool | UnsetType = UNSET
    core_size: int | UnsetType = UNSET
    queue_size: int | UnsetType = UNSET
    timeout_minutes: float | UnsetType = UNSET
    mode: Mode | UnsetType | None = UNSET
    allow_modes: list[Mode] | UnsetType = UNSET
    weight: int | UnsetType = UNSET
    remark: str | UnsetType = UNSET
    remix_auto_submit: bool | UnsetType = UNSET
    relax_when_exhausted: bool | UnsetType = UNSET
    refresh_minutes: float | UnsetType = UNSET

    def fields(self) -> dict[str, Any]:
        """By the names of the settings."""
        given = {k: v for k, v in msgspec.structs.asdict(self).items() if v is not UNSET}
        if "user_token" in given:
            given["token"] = given.pop("user_token")
        return given


class AccountView(Struct, kw_only=True, rename="camel"):
    """An account as administrators see it."""

    id: str
    guild_id: str
    channel_id: str
    user_agent: str
    enable: bool
    state: str
    disabled_reason: str | None
    problem: str | None
    """A part of its worker that fails at the moment."""
    core_size: int
    queue_size: int
    timeout_minutes: float
    mode: str | None
    allow_modes: list[str]
    weight: int
    remark: str
    remix_auto_submit: bool
    running_count: int
    queue_count: int
    properties: dict[str, str | float | bool | None]


class TokenBody(Struct, kw_only=True, rename="camel"):
    """A new token."""

    name: Annotated[str, Meta(min_length=1, max_length=100)]
    role: Literal["reader", "user", "admin"] = "user"
    speed: Mode | None = None
    image_links: Literal["origin", "relay", "proxy"] | None = msgspec.field(
        default=None, name="images"
    )
    image_host: str | None = msgspec.field(default=None, name="imagesHost")
    rate: Annotated[int, Meta(ge=1, description="Submits per minute.")] | None = None
    daily_limit: Annotated[int, Meta(ge=1, description="Tasks per day, UTC.")] | None = None
    expires_at: Annotated[int, Meta(description="Unix milliseconds.")] | None = None


class TokenView(Struct, kw_only=True, rename="camel"):
    """A token; its secret was shown only when it was made."""

    id: str
    name: str
    role: str
    speed: str | None
    image_links: str | None = msgspec.field(name="images")
    image_host: str | None = msgspec.field(name="imagesHost")
    rate: int | None
    daily_limit: int | None
    created_at: int
    expires_at: int | None
    used_today: int


class DeliveryView(Struct, kw_only=True, rename="camel"):
    """The state of a webhook's delivery."""

    url: str | None
    delivered_revision: int | None
    waiting_revision: int | None
    tries: int
    last_answer: int | None
    last_error: str | None
    next_try_at: int | None


class AdminTaskView(Struct, kw_only=True, rename="camel"):
    """A task with details that its user does not see."""

    task: TaskView
    revision: int
    account: str
    token: str | None
    sending: str
    tries: int
    deadline: int | None
    webhook: DeliveryView = msgspec.field(name="hook")


@get("/account/list", summary="All accounts", responses=FOR_ADMINS)
async def accounts(services: TheServices, call: TheCall) -> list[AccountView]:
    """For administrators."""
    call.must_be_admin()
    return [_account(each) for each in await services.accounts.all()]


@get("/account/{account_id:str}/fetch", summary="An account", responses=FOR_ADMINS)
async def account(services: TheServices, call: TheCall, account_id: FromPath[str]) -> AccountView:
    """For administrators."""
    call.must_be_admin()
    return _account(await services.accounts.find(account_id))


@post("/account/create", status_code=200, summary="Add an account", responses=FOR_ADMINS)
async def add_account(services: TheServices, call: TheCall, data: JSONBody[AccountBody]) -> Answer:
    """For administrators. It signs in at once; its token is encrypted and never returned."""
    call.must_be_admin()
    return responses.success(await services.accounts.add(data.fields()), call.language)


@put("/account/{account_id:str}/update", summary="Change an account", responses=FOR_ADMINS)
async def change_account(
    services: TheServices, call: TheCall, account_id: FromPath[str], data: JSONBody[AccountBody]
) -> Answer:
    """For administrators. Fields left out keep their values."""
    call.must_be_admin()
    fields = data.fields()
    if fields.get("channel_id", account_id) != account_id:
        raise BadRequest("channelId: an account keeps its channel; add another instead")
    await services.accounts.change(account_id, fields)
    return responses.success(account_id, call.language)


@delete(
    "/account/{account_id:str}/delete",
    status_code=200,
    summary="Remove an account",
    responses=FOR_ADMINS,
)
async def remove_account(services: TheServices, call: TheCall, account_id: FromPath[str]) -> Answer:
    """For administrators. Its waiting tasks move to other accounts."""
    call.must_be_admin()
    await services.accounts.remove(account_id)
    return responses.success(account_id, call.language)


@post(
    "/account/{account_id:str}/sync",
    status_code=200,
    summary="Query /info and /settings again",
    responses=FOR_ADMINS,
)
async def sync_account(services: TheServices, call: TheCall, account_id: FromPath[str]) -> Answer:
    """For administrators. The answers update the account's properties."""
    call.must_be_admin()
    try:
        await services.accounts.refresh(account_id)
    except NoAccount as error:
        return responses.failed(str(error), call.language)
    return responses.success(account_id, call.language)


@post(
    "/account/{account_id:str}/reconnect",
    status_code=200,
    summary="Begin a new session",
    responses=FOR_ADMINS,
)
async def reconnect_account(
    services: TheServices, call: TheCall, account_id: FromPath[str]
) -> Answer:
    """For administrators. A stopped account tries again."""
    call.must_be_admin()
    await services.accounts.reconnect(account_id)
    return responses.success(account_id, call.language)


@get("/token/list", summary="All API tokens", responses=FOR_ADMINS)
async def tokens(services: TheServices, call: TheCall) -> list[TokenView]:
    """For administrators. Without their secrets."""
    call.must_be_admin()
    await services.token_registry.look()
    return [
        _token(each, services.quotas.used(each)) for each in services.token_registry.tokens.all()
    ]


@post("/token/create", status_code=200, summary="Create an API token", responses=FOR_ADMINS)
async def make_token(services: TheServices, call: TheCall, data: JSONBody[TokenBody]) -> Answer:
    """For administrators. `result` is the secret; it is shown only here."""
    call.must_be_admin()
    token, secret = await services.token_registry.make(**msgspec.structs.asdict(data))
    answer = responses.success(secret, call.language)
    answer.properties["tokenId"] = token.id
    return answer


@delete(
    "/token/{token_id:str}/delete",
    status_code=200,
    summary="Remove an API token",
    responses=FOR_ADMINS,
)
async def remove_token(services: TheServices, call: TheCall, token_id: FromPath[str]) -> Answer:
    """For administrators. It is not accepted any more."""
    call.must_be_admin()
    if not await services.token_registry.remove(token_id):
        raise BadRequest(f"there is no token {token_id!r}")
    return responses.success(token_id, call.language)


@get(
    "/admin/task/{task_id:str}",
    summary="A task with details for administrators",
    responses=FOR_ADMINS,
)
async def admin_task(services: TheServices, call: TheCall, task_id: FromPath[str]) -> AdminTaskView:
    """For administrators: its account, its deadline, and the state of its webhook."""
    call.must_be_admin()
    task = await services.queries.find(task_id)
    delivery = services.webhooks.delivery(task)
    return AdminTaskView(
        task=view(task, call.links),
        revision=task.revision,
        account=task.account,
        token=task.token,
        sending=task.sending,
        tries=task.tries,
        deadline=task.deadline,
        webhook=DeliveryView(**msgspec.structs.asdict(delivery)),
    )


HANDLERS = (
    accounts, account, add_account, change_account, remove_account, sync_account,
    reconnect_account, tokens, make_token, remove_token, admin_task,
)  # fmt: skip


def _account(account: AccountReport) -> AccountView:
    status = account.status
    settings, profile = status.settings, status.profile
    return AccountView(
        id=status.id,
        guild_id=settings.guild_id,
        channel_id=settings.channel_id,
        user_agent=settings.user_agent,
        enable=settings.enable,
        state=status.state,
        disabled_reason=status.reason or None,
        problem=status.problem or None,
        core_size=settings.core_size,
        queue_size=settings.queue_size,
        timeout_minutes=settings.timeout_minutes,
        mode=settings.mode,
        allow_modes=list(settings.allow_modes),
        weight=settings.weight,
        remark=settings.remark,
        remix_auto_submit=settings.remix_auto_submit,
        running_count=account.running,
        queue_count=account.waiting,
        properties={
            "plan": profile.plan,
            "planRenews": profile.renews,
            "concurrentJobs": profile.concurrent,
            "fastTimeLeft": profile.fast_left,
            "fastTimeTotal": profile.fast_total,
            "jobMode": profile.mode,
            "visibility": profile.visibility,
            "remix": profile.remix,
            "version": profile.version,
        },
    )


def _token(token: Token, used: int) -> TokenView:
    fields = msgspec.structs.asdict(token)
    del fields["hash"]
    return TokenView(**fields, used_today=used)
