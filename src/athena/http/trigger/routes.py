"""The trigger API, `/v1/api/trigger` (contracts: athena-dialect, section 1).

A trigger id names an image and everything that is made of it. The tasks are the same as those of
the `/mj` API: a task submitted through one is visible in the other.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated

import structlog
from litestar import Request, Response, Router, get, post
from litestar.datastructures import State, UploadFile
from litestar.enums import RequestEncodingType
from litestar.exceptions import HTTPException, ValidationException
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import Body, FromQuery, JSONBody
from msgspec import Struct

from athena import errors
from athena.delivery.image_kinds import kind_of
from athena.errors import AthenaError, UnknownTrigger
from athena.http.calls import Call, Services
from athena.http.mj.submits import TheCall, TheServices
from athena.http.trigger import bodies
from athena.http.trigger import view as views
from athena.midjourney import buttons
from athena.midjourney.buttons import Form
from athena.service import drafts
from athena.service.options import Accepted, SubmitOptions
from athena.tasks.model import Api, Task
from athena.tasks.requests import Upload

log = structlog.get_logger(__name__)

_REFUSED = {
    400: ResponseSpec(bodies.Refusal, generate_examples=False, description="Code 13."),
    404: ResponseSpec(bodies.Refusal, generate_examples=False, description="Code 16."),
}
_NO_IMAGE = {
    400: ResponseSpec(
        bodies.Done, generate_examples=False, description="`must image`: the file is not an image."
    )
}


@post("/imagine", status_code=200, summary="Create images from a prompt", responses=_REFUSED)
async def imagine(
    services: TheServices, call: TheCall, data: JSONBody[bodies.GenerateBody]
) -> bodies.Triggered | bodies.Refusal:
    """`picurl` is put before the prompt, `extra` after it."""
    prompt = " ".join(part for part in (data.picurl, data.prompt, data.extra) if part)
    draft = drafts.imagine(prompt)
    trigger = services.triggers.make()
    return await _accept(
        services,
        call,
        data,
        trigger,
        "generate",
        lambda options: services.tasks.submit(draft, options),
    )


@post("/upscale", status_code=200, summary="Upscale one of the four images", responses=_REFUSED)
async def upscale(
    services: TheServices, call: TheCall, data: JSONBody[bodies.NumberedBody]
) -> bodies.Triggered | bodies.Refusal:
    """`index` 1 to 4."""
    return await _press(services, call, data, "upscale", buttons.upsample(data.index))


@post("/variation", status_code=200, summary="Vary one of the four images", responses=_REFUSED)
async def variation(
    services: TheServices, call: TheCall, data: JSONBody[bodies.NumberedBody]
) -> bodies.Triggered | bodies.Refusal:
    """`index` 1 to 4."""
    return await _press(services, call, data, "variation", buttons.variation(data.index))


@post("/solo_variation", status_code=200, summary="Vary a single image", responses=_REFUSED)
async def solo_variation(
    services: TheServices, call: TheCall, data: JSONBody[bodies.SoloBody]
) -> bodies.Triggered | bodies.Refusal:
    """Older models; newer ones have the low and the high variation."""
    forms = (buttons.variation(1), buttons.high_variation())
    return await _press(services, call, data, "solo_variation", *forms)


@post(
    "/solo_low_variation",
    status_code=200,
    summary="Vary a single image (subtle)",
    responses=_REFUSED,
)
async def solo_low_variation(
    services: TheServices, call: TheCall, data: JSONBody[bodies.SoloBody]
) -> bodies.Triggered | bodies.Refusal:
    """Vary (Subtle)."""
    return await _press(services, call, data, "solo_low_variation", buttons.low_variation())


@post(
    "/solo_high_variation",
    status_code=200,
    summary="Vary a single image (strong)",
    responses=_REFUSED,
)
async def solo_high_variation(
    services: TheServices, call: TheCall, data: JSONBody[bodies.SoloBody]
) -> bodies.Triggered | bodies.Refusal:
    """Vary (Strong)."""
    return await _press(services, call, data, "solo_high_variation", buttons.high_variation())


@post("/zoomout", status_code=200, summary="Zoom out", responses=_REFUSED)
async def zoomout(
    services: TheServices, call: TheCall, data: JSONBody[bodies.ZoomBody]
) -> bodies.Triggered | bodies.Refusal:
    """`zoomout` 50 is twice as far, 75 one and a half times, 100 makes it square."""
    return await _press(services, call, data, "zoomout", buttons.outpaint(data.zoomout))


@post("/expand", status_code=200, summary="Pan", responses=_REFUSED)
async def expand(
    services: TheServices, call: TheCall, data: JSONBody[bodies.ExpandBody]
) -> bodies.Triggered | bodies.Refusal:
    """Extends the image by half on one side."""
    return await _press(services, call, data, "expand", buttons.pan(data.direction))


@post("/reset", status_code=200, summary="Reroll", responses=_REFUSED)
async def reset(
    services: TheServices, call: TheCall, data: JSONBody[bodies.ImageBody]
) -> bodies.Triggered | bodies.Refusal:
    """Runs the same prompt again."""
    return await _press(services, call, data, "reset", buttons.reroll())


@post("/max_upscale", status_code=200, summary="Upscale, older models", responses=_REFUSED)
async def max_upscale(
    services: TheServices, call: TheCall, data: JSONBody[bodies.ImageBody]
) -> bodies.Triggered | bodies.Refusal:
    """Only where the image's message has that button."""
    return await _press(services, call, data, "max_upscale", buttons.upscale("max"))


@post("/upload", status_code=200, summary="Upload an image to Discord", responses=_NO_IMAGE)
async def upload(
    services: TheServices,
    call: TheCall,
    data: Annotated[dict[str, UploadFile], Body(media_type=RequestEncodingType.MULTI_PART)],
) -> Response[bodies.Uploaded] | Response[bodies.Done]:
    """Multipart, the image in the field `file`."""
    file = data.get("file")
    content = await file.read() if file else b""
    kind = kind_of(content)
    if kind is None:
        return Response(bodies.Done(message="must image"), status_code=400)
    trigger = services.triggers.make()
    name = f"{trigger}.{'jpg' if kind == 'jpeg' else kind}"
    image = Upload(filename=name, content_type=f"image/{kind}", data=content)
    at, url = await services.files.upload(image)
    return Response(
        bodies.Uploaded(message="success", upload_filename=at, upload_url=url, trigger_id=trigger)
    )


@post("/describe", status_code=200, summary="Get prompts for an image", responses=_REFUSED)
async def describe(
    services: TheServices, call: TheCall, data: JSONBody[bodies.DescribeUploadedBody]
) -> bodies.Triggered | bodies.Refusal:
    """The image is named as `upload` answered it."""
    draft = drafts.describe_uploaded(data.upload_filename)
    trigger, tasks = data.trigger_id, services.tasks
    await _must_be_free(services, call, trigger)
    return await _accept(
        services, call, data, trigger, "describe", lambda options: tasks.submit(draft, options)
    )


@post("/message", status_code=200, summary="Post an uploaded image", responses=_REFUSED)
async def message(
    services: TheServices, data: JSONBody[bodies.MessageBody]
) -> bodies.Posted | bodies.Refusal:
    """Its link can go before a prompt."""
    return bodies.Posted(
        message="success", picurl=await services.files.post_uploaded(data.upload_filename)
    )


@post("/queue/release", status_code=200, summary="Free a slot by hand", responses=_REFUSED)
async def release(
    services: TheServices, call: TheCall, data: JSONBody[bodies.TriggerBody]
) -> bodies.Done:
    """The trigger's running tasks fail. Slots are given back by themselves; use this only if you
    are sure that no result will come."""
    for task in await _of_trigger(services, call, data.trigger_id):
        await services.tasks.release(task)
    return bodies.Done(message="success")


@post("/getmessage", status_code=200, summary="The state of a trigger", responses=_REFUSED)
async def getmessage(
    services: TheServices, call: TheCall, data: JSONBody[bodies.TriggerBody]
) -> bodies.MessageView:
    """Its newest task: the last message, its hash, image, buttons and status."""
    return views.message((await _of_trigger(services, call, data.trigger_id))[-1])


@get("/getmessage", summary="The same", responses=_REFUSED)
async def getmessage_by_query(
    services: TheServices, call: TheCall, trigger_id: FromQuery[str]
) -> bodies.MessageView:
    """Its newest task: the last message, its hash, image, buttons and status."""
    return views.message((await _of_trigger(services, call, trigger_id))[-1])


def router() -> Router:
    """Every path of this API, with errors in its own form."""
    handlers = [
        imagine, upscale, variation, solo_variation, solo_low_variation, solo_high_variation,
        zoomout, expand, reset, max_upscale, upload, describe, message, release, getmessage,
        getmessage_by_query,
    ]  # fmt: skip
    return Router(
        "/v1/api/trigger",
        route_handlers=handlers,
        tags=["trigger"],
        exception_handlers={
            AthenaError: _error_response,
            HTTPException: _http_error,
            Exception: _internal_error,
        },
    )


async def _press(
    services: Services, call: Call, data: bodies.ImageBody, kind: str, *forms: Form
) -> bodies.Triggered:
    """Press the button that has one of these forms and belongs to the image's job."""
    await _must_be_free(services, call, data.trigger_id)

    async def press(options: SubmitOptions) -> Accepted:
        return await services.buttons.press_message(
            data.trigger_id, str(data.msg_id), forms, data.msg_hash, options
        )

    return await _accept(services, call, data, data.trigger_id, kind, press)


async def _accept(
    services: Services,
    call: Call,
    data: Struct,
    trigger: str,
    kind: str,
    ask: Callable[[SubmitOptions], Awaitable[Accepted]],
) -> bodies.Triggered:
    token = call.caller.token
    options = SubmitOptions(
        webhook=services.settings.webhooks.url or None,
        speed=call.path_options.speed,
        token=token.id if token else None,
        trigger=trigger,
        api=Api.TRIGGER,
        once=call.once(data),
    )
    done = await services.quotas.count(token, lambda: ask(options))
    return bodies.Triggered(
        message="success",
        trigger_id=done.task.trigger or trigger,
        trigger_type=kind,
        queue_position=done.ahead,
    )


async def _of_trigger(services: Services, call: Call, trigger: str) -> list[Task]:
    """The tasks of a trigger.

    Raises:
        UnknownTrigger: there are none.
        NotAllowed: they are another token's.
    """
    tasks = await _must_be_free(services, call, trigger)
    if not tasks:
        raise UnknownTrigger(trigger)
    return tasks


async def _must_be_free(services: Services, call: Call, trigger: str) -> list[Task]:
    """The tasks of a trigger that is the caller's, or still nobody's.

    Raises:
        NotAllowed: it is another token's.
    """
    tasks = await services.queries.by_trigger(trigger)
    for task in tasks:
        call.must_own(task)
    return tasks


class _ErrorCode(Struct, frozen=True):
    """How an error is answered."""

    status: int
    code: int


def _error_code(error: Exception) -> _ErrorCode:
    match error:
        case errors.NotFound():
            return _ErrorCode(404, 16)
        case errors.NotAllowed():
            return _ErrorCode(403, 13)
        case errors.BannedWord():
            return _ErrorCode(200, 14)
        case errors.QueueFull() | errors.QuotaExceeded():
            return _ErrorCode(200, 15)
        case errors.NoAccount():
            return _ErrorCode(200, 11)
        case errors.NoAnswer() | errors.StoreError():
            return _ErrorCode(200, 12)
        case _:
            return _ErrorCode(400, 13)


def _error_response(_: Request[None, None, State], error: Exception) -> Response[bodies.Refusal]:
    found = _error_code(error)
    text = f"request params error: {error}" if found.code == 13 else str(error)
    return Response(bodies.Refusal(code=found.code, message=text), status_code=found.status)


def _http_error(_: Request[None, None, State], error: HTTPException) -> Response[bodies.Refusal]:
    details = error.extra if isinstance(error, ValidationException) else None
    texts = [f"{f.get('key', '')}: {f.get('message', '')}" for f in details or () if f]  # type: ignore[union-attr]
    text = f"request params error: {'; '.join(texts) or error.detail}"
    status = 400 if isinstance(error, ValidationException) else error.status_code
    return Response(bodies.Refusal(code=13, message=text), status_code=status)


def _internal_error(
    request: Request[None, None, State], error: Exception
) -> Response[bodies.Refusal]:
    log.error("request.failed", path=request.url.path, exc_info=error)
    return Response(bodies.Refusal(code=12, message="internal error"), status_code=500)
