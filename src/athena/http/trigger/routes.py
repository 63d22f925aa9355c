"""The Athena dialect, `/v1/api/trigger` (contracts: athena-dialect, section 1).

A trigger id names an image and everything that is made of it. The same engine serves it as the
`/mj` dialect: tasks asked for here are seen there, and the other way round.
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
from athena.service import drafts
from athena.service.options import Accepted, SubmitOptions
from athena.tasks.model import Api, Task
from athena.tasks.requests import Upload

log = structlog.get_logger(__name__)

_REFUSED = {
    400: ResponseSpec(bodies.Refusal, generate_examples=False, description="Code 13."),
    404: ResponseSpec(bodies.Refusal, generate_examples=False, description="Code 16."),
}
_NO_PICTURE = {
    400: ResponseSpec(
        bodies.Done, generate_examples=False, description="`must image`: the file is no image."
    )
}


@post("/imagine", status_code=200, summary="Make images of a text", responses=_REFUSED)
async def imagine(
    services: TheServices, call: TheCall, data: JSONBody[bodies.GenerateBody]
) -> bodies.Triggered | bodies.Refusal:
    """`picurl` goes before the prompt, `extra` behind it."""
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


@post("/upscale", status_code=200, summary="Take one image out of the four", responses=_REFUSED)
async def upscale(
    services: TheServices, call: TheCall, data: JSONBody[bodies.NumberedBody]
) -> bodies.Triggered | bodies.Refusal:
    """`index` 1 to 4."""
    return await _press(services, call, data, "upscale", f"MJ::JOB::upsample::{data.index}::")


@post("/variation", status_code=200, summary="Vary one of the four", responses=_REFUSED)
async def variation(
    services: TheServices, call: TheCall, data: JSONBody[bodies.NumberedBody]
) -> bodies.Triggered | bodies.Refusal:
    """`index` 1 to 4."""
    return await _press(services, call, data, "variation", f"MJ::JOB::variation::{data.index}::")


@post("/solo_variation", status_code=200, summary="Vary a single image", responses=_REFUSED)
async def solo_variation(
    services: TheServices, call: TheCall, data: JSONBody[bodies.SoloBody]
) -> bodies.Triggered | bodies.Refusal:
    """Older models; newer ones have the low and the high variation."""
    starts = ("MJ::JOB::variation::1::", "MJ::JOB::high_variation::1::")
    return await _press(services, call, data, "solo_variation", *starts)


@post("/solo_low_variation", status_code=200, summary="Vary it a little", responses=_REFUSED)
async def solo_low_variation(
    services: TheServices, call: TheCall, data: JSONBody[bodies.SoloBody]
) -> bodies.Triggered | bodies.Refusal:
    """Vary (Subtle)."""
    return await _press(services, call, data, "solo_low_variation", "MJ::JOB::low_variation::1::")


@post("/solo_high_variation", status_code=200, summary="Vary it much", responses=_REFUSED)
async def solo_high_variation(
    services: TheServices, call: TheCall, data: JSONBody[bodies.SoloBody]
) -> bodies.Triggered | bodies.Refusal:
    """Vary (Strong)."""
    return await _press(services, call, data, "solo_high_variation", "MJ::JOB::high_variation::1::")


@post("/zoomout", status_code=200, summary="Step back", responses=_REFUSED)
async def zoomout(
    services: TheServices, call: TheCall, data: JSONBody[bodies.ZoomBody]
) -> bodies.Triggered | bodies.Refusal:
    """`zoomout` 50 is twice as far, 75 one and a half times, 100 makes it square."""
    return await _press(services, call, data, "zoomout", f"MJ::Outpaint::{data.zoomout}::1::")


@post("/expand", status_code=200, summary="Pan", responses=_REFUSED)
async def expand(
    services: TheServices, call: TheCall, data: JSONBody[bodies.ExpandBody]
) -> bodies.Triggered | bodies.Refusal:
    """Half as much again on one side."""
    return await _press(services, call, data, "expand", f"MJ::JOB::pan_{data.direction}::1::")


@post("/reset", status_code=200, summary="Reroll", responses=_REFUSED)
async def reset(
    services: TheServices, call: TheCall, data: JSONBody[bodies.ImageBody]
) -> bodies.Triggered | bodies.Refusal:
    """The same once more."""
    return await _press(services, call, data, "reset", "MJ::JOB::reroll::0::")


@post("/max_upscale", status_code=200, summary="Upscale, older models", responses=_REFUSED)
async def max_upscale(
    services: TheServices, call: TheCall, data: JSONBody[bodies.ImageBody]
) -> bodies.Triggered | bodies.Refusal:
    """Only where the image's message has that button."""
    return await _press(services, call, data, "max_upscale", "MJ::JOB::upsample_max::1::")


@post("/upload", status_code=200, summary="Bring an image to Discord", responses=_NO_PICTURE)
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


@post("/describe", status_code=200, summary="Find prompts for an image", responses=_REFUSED)
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
    """What runs for that trigger is given up. Slots come back by themselves; this is for people
    who are sure that nothing will come."""
    for task in await _of_trigger(services, call, data.trigger_id):
        await services.tasks.release(task)
    return bodies.Done(message="success")


@post("/getmessage", status_code=200, summary="What is known of a trigger", responses=_REFUSED)
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
    """Every path of the dialect, with errors in its own form."""
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
            AthenaError: _refused,
            HTTPException: _http_error,
            Exception: _broken,
        },
    )


async def _press(
    services: Services, call: Call, data: bodies.ImageBody, kind: str, *starts: str
) -> bodies.Triggered:
    """Press the button of a message whose id begins so and holds the image's hash."""
    wanted = tuple(f"{start}{data.msg_hash}" for start in starts)
    await _must_be_free(services, call, data.trigger_id)

    async def press(options: SubmitOptions) -> Accepted:
        return await services.buttons.press_message(
            data.trigger_id, str(data.msg_id), wanted, options
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
        speed=call.modes.speed,
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


class _Said(Struct, frozen=True):
    """How a refusal is answered."""

    status: int
    code: int


def _judged(error: Exception) -> _Said:
    match error:
        case errors.NotFound():
            return _Said(404, 16)
        case errors.NotAllowed():
            return _Said(403, 13)
        case errors.BannedWord():
            return _Said(200, 14)
        case errors.QueueFull() | errors.QuotaExceeded():
            return _Said(200, 15)
        case errors.NoAccount():
            return _Said(200, 11)
        case errors.NoAnswer() | errors.StoreError():
            return _Said(200, 12)
        case _:
            return _Said(400, 13)


def _refused(_: Request[None, None, State], error: Exception) -> Response[bodies.Refusal]:
    said = _judged(error)
    text = f"request params error: {error}" if said.code == 13 else str(error)
    return Response(bodies.Refusal(code=said.code, message=text), status_code=said.status)


def _http_error(_: Request[None, None, State], error: HTTPException) -> Response[bodies.Refusal]:
    faults = error.extra if isinstance(error, ValidationException) else None
    texts = [f"{f.get('key', '')}: {f.get('message', '')}" for f in faults or () if f]  # type: ignore[union-attr]
    text = f"request params error: {'; '.join(texts) or error.detail}"
    status = 400 if isinstance(error, ValidationException) else error.status_code
    return Response(bodies.Refusal(code=13, message=text), status_code=status)


def _broken(request: Request[None, None, State], error: Exception) -> Response[bodies.Refusal]:
    log.error("request.failed", path=request.url.path, exc_info=error)
    return Response(bodies.Refusal(code=12, message="internal error"), status_code=500)
