"""The submits of the `/mj` API (contracts: mj-dialect, sections 2 to 5)."""

import re
from collections.abc import Awaitable, Callable, Sequence

from litestar import post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from athena.delivery.fetching import Fetcher
from athena.delivery.guard import BadLink
from athena.errors import BadRequest
from athena.http import image_input
from athena.http.calls import Call, Services
from athena.http.mj import bodies, responses
from athena.http.mj.responses import Answer
from athena.http.openapi import FOR_SUBMITS
from athena.service import drafts
from athena.service.drafts import TaskDraft
from athena.service.options import Accepted, SubmitOptions
from athena.tasks.model import Action, Task
from athena.tasks.requests import Dimensions, Upload

TheServices = NamedDependency[Services]
TheCall = NamedDependency[Call]

_SIMPLE = re.compile(r"\s*(\d+)\s+([UV])([1-4])\s*|\s*(\d+)\s+R\s*", re.IGNORECASE)


@post(
    "/submit/imagine", status_code=200, summary="Create images from a prompt", responses=FOR_SUBMITS
)
async def imagine(
    services: TheServices, call: TheCall, data: JSONBody[bodies.ImagineBody]
) -> Answer:
    """Images are uploaded and their links put before the prompt."""
    return await take_imagine(services, call, data)


async def take_imagine(services: Services, call: Call, data: bodies.ImagineBody) -> Answer:
    """The same for the fast path, which decodes small bodies itself. Raises as
    `TaskService.submit`."""
    draft = drafts.imagine(data.prompt, image_input.decode_all(data.images, "image"))
    return await _submit(services, call, data, draft)


@post(
    "/submit/blend",
    status_code=200,
    summary="Blend two to five images",
    responses=FOR_SUBMITS,
)
async def blend(services: TheServices, call: TheCall, data: JSONBody[bodies.BlendBody]) -> Answer:
    """`dimensions` is the shape, SQUARE unless named."""
    shape = Dimensions(data.dimensions) if data.dimensions else None
    uploads = image_input.decode_all([text for text in data.base64_array if text], "blend")
    return await _submit(services, call, data, drafts.blend(uploads, shape))


@post(
    "/submit/describe", status_code=200, summary="Get prompts for an image", responses=FOR_SUBMITS
)
async def describe(
    services: TheServices, call: TheCall, data: JSONBody[bodies.DescribeBody]
) -> Answer:
    """`finalPrompt` of the finished task holds four prompts."""
    upload = image_input.decode(data.base64, "describe", "base64") if data.base64 else None
    return await _submit(services, call, data, drafts.describe(data.link or "", upload))


@post(
    "/submit/shorten",
    status_code=200,
    summary="Analyze and shorten a prompt",
    responses=FOR_SUBMITS,
)
async def shorten(
    services: TheServices, call: TheCall, data: JSONBody[bodies.ShortenBody]
) -> Answer:
    """`finalPrompt` of the finished task holds the words and the shorter prompts."""
    return await _submit(services, call, data, drafts.shorten(data.prompt))


@post("/submit/show", status_code=200, summary="Show an earlier job again", responses=FOR_SUBMITS)
async def show(services: TheServices, call: TheCall, data: JSONBody[bodies.ShowBody]) -> Answer:
    """The finished task has the job's image and buttons."""
    return await _submit(services, call, data, drafts.show(data.job_id))


@post(
    "/submit/edits",
    status_code=200,
    summary="Edit your own image",
    responses=FOR_SUBMITS,
)
async def edits(services: TheServices, call: TheCall, data: JSONBody[bodies.EditsBody]) -> Answer:
    """Midjourney's bot has no editor for your own images: the image becomes an image prompt
    of the highest weight, without the area that the mask marks."""
    if data.mask_base64 is None and image_input.is_link(data.image):
        draft = drafts.edit(data.prompt, data.image)
    else:
        draft = drafts.edit(data.prompt, uploads=[await _image_to_edit(services.fetcher, data)])
    return await _submit(services, call, data, draft)


@post(
    "/submit/video",
    status_code=200,
    summary="Create or extend videos",
    responses=FOR_SUBMITS,
)
async def video(services: TheServices, call: TheCall, data: JSONBody[bodies.VideoBody]) -> Answer:
    """From a prompt, a first frame, or both; with `action` `extend`, from a finished task's
    video."""
    if data.action not in (None, "extend"):
        raise BadRequest(f"action: must be extend or left out, not {data.action!r}")
    if data.action is None:
        video, uploads = _video_frames(data)
        return await _submit(services, call, data, drafts.video(data.prompt or "", video, uploads))
    if not data.task_id:
        raise BadRequest("taskId: the task whose video is to be extended is needed")
    parent, index, motion = data.task_id, data.index or 0, data.motion or "high"
    await owned(services, call, parent)
    buttons = services.buttons
    return await _accept(services, call, data, lambda w: buttons.extend(parent, index, motion, w))


@post(
    "/insight-face/swap",
    status_code=200,
    summary="Swap a face into an image",
    responses=FOR_SUBMITS,
)
async def swap(services: TheServices, call: TheCall, data: JSONBody[bodies.SwapBody]) -> Answer:
    """The face of the source goes into the target."""
    source = await _face_image(services.fetcher, data.source_base64, data.source_url, "source")
    target = await _face_image(services.fetcher, data.target_base64, data.target_url, "target")
    return await _submit(services, call, data, drafts.swap_face(source, target))


@post(
    "/submit/action",
    status_code=200,
    summary="Press a button of a finished task",
    responses=FOR_SUBMITS,
)
async def action(services: TheServices, call: TheCall, data: JSONBody[bodies.ActionBody]) -> Answer:
    """`customId` is one of the task's `buttons`. Code 21: a modal is to be filled in."""
    await owned(services, call, data.task_id)
    return await _accept(
        services,
        call,
        data,
        lambda options: services.buttons.press(
            data.task_id, data.custom_id, options, remix=data.enable_remix
        ),
    )


@post(
    "/submit/modal",
    status_code=200,
    summary="Fill in the modal of a waiting task",
    responses=FOR_SUBMITS,
)
async def modal(services: TheServices, call: TheCall, data: JSONBody[bodies.ModalBody]) -> Answer:
    """For tasks in status MODAL: a remix prompt, a custom zoom, a region to redraw."""
    await owned(services, call, data.task_id)
    mask = await image_input.decode_mask(data.mask_base64) if data.mask_base64 else None
    prompt, once = data.prompt or "", call.once(data)
    done = await services.buttons.confirm(data.task_id, prompt, mask, once)
    return responses.accepted(done, call.language)


@post(
    "/submit/change",
    status_code=200,
    summary="Upscale, vary or reroll by number",
    responses=FOR_SUBMITS,
)
async def change(services: TheServices, call: TheCall, data: JSONBody[bodies.ChangeBody]) -> Answer:
    """The older form of `action`."""
    index = None if data.action == "REROLL" else data.index
    if index is None and data.action != "REROLL":
        raise BadRequest("index: a number from 1 to 4 is needed")
    await owned(services, call, data.task_id)
    what, buttons = Action(data.action), services.buttons
    return await _accept(
        services,
        call,
        data,
        lambda options: buttons.press_numbered(data.task_id, what, index, options),
    )


@post(
    "/submit/simple-change", status_code=200, summary="The same in one line", responses=FOR_SUBMITS
)
async def simple_change(
    services: TheServices, call: TheCall, data: JSONBody[bodies.SimpleChangeBody]
) -> Answer:
    """`content` is the task's id and U1 to U4, V1 to V4, or R."""
    task_id, what, index = _parse_simple_change(data.content)
    await owned(services, call, task_id)
    buttons = services.buttons
    return await _accept(
        services, call, data, lambda options: buttons.press_numbered(task_id, what, index, options)
    )


@post(
    "/submit/upload-discord-images",
    status_code=200,
    summary="Upload images to Discord",
    responses=FOR_SUBMITS,
)
async def upload_images(
    services: TheServices, call: TheCall, data: JSONBody[bodies.UploadBody]
) -> Answer:
    """`result` is the list of their links; no task is created."""
    uploads = image_input.decode_all(data.base64_array, "image")
    if not uploads:
        raise BadRequest("base64Array: at least one image is needed")
    links = await services.files.post_images(uploads, call.once(data))
    return responses.success(links, call.language)


HANDLERS = (
    imagine, blend, describe, shorten, show, edits, video, swap, action, modal, change,
    simple_change, upload_images,
)  # fmt: skip


async def owned(services: Services, call: Call, task_id: str) -> Task:
    """A task that the caller may act on.

    Raises:
        UnknownTask: there is none.
        NotAllowed: it is another token's.
    """
    task = await services.queries.find(task_id)
    call.must_own(task)
    return task


async def _submit(services: Services, call: Call, data: bodies.Submit, draft: TaskDraft) -> Answer:
    return await _accept(
        services, call, data, lambda options: services.tasks.submit(draft, options)
    )


async def _accept(
    services: Services,
    call: Call,
    data: bodies.Submit,
    ask: Callable[[SubmitOptions], Awaitable[Accepted]],
) -> Answer:
    """Submit, count it against the token's quota, and answer."""
    options = await _submit_options(services, call, data)
    done = await services.quotas.count(call.caller.token, lambda: ask(options))
    return responses.accepted(done, call.language)


async def _submit_options(services: Services, call: Call, data: bodies.Submit) -> SubmitOptions:
    if data.notify_hook:
        try:
            await services.guard.check(data.notify_hook, "notifyHook")
        except BadLink as error:
            raise BadRequest(str(error)) from error
    token = call.caller.token
    return SubmitOptions(
        state=data.state,
        webhook=data.notify_hook or services.settings.webhooks.url or None,
        speed=call.path_options.speed or data.requested_speed,
        bot=data.bot,
        image_links=call.path_options.image_links,
        image_host=call.path_options.image_host,
        token=token.id if token else None,
        accounts=data.accounts,
        once=call.once(data),
    )


def _video_frames(data: bodies.VideoBody) -> tuple[drafts.VideoOptions, Sequence[Upload]]:
    """Frames that are links go into the prompt, others are uploaded."""
    uploads: list[Upload] = []
    links = {"image": "", "endImage": ""}
    for field, text in (("image", data.image), ("endImage", data.end_image)):
        if text and image_input.is_link(text):
            links[field] = text
        elif text:
            uploads.append(image_input.decode(text, field, field))
    video = drafts.VideoOptions(
        start=links["image"],
        end=links["endImage"],
        end_uploaded=bool(data.end_image and not links["endImage"]),
        motion=data.motion or "",
        loop=bool(data.loop),
        batch=data.batch_size,
    )
    return video, uploads


async def _image_to_edit(fetcher: Fetcher, data: bodies.EditsBody) -> Upload:
    if image_input.is_link(data.image):
        image = await image_input.fetch(fetcher, data.image, "edit", "image")
    else:
        image = image_input.decode(data.image, "edit", "image")
    if data.mask_base64 is None:
        return image
    return await image_input.erased(image, await image_input.decode_mask(data.mask_base64))


async def _face_image(fetcher: Fetcher, text: str | None, url: str | None, name: str) -> Upload:
    if text:
        return image_input.decode(text, name, f"{name}Base64")
    if url:
        return await image_input.fetch(fetcher, url, name, f"{name}Url")
    raise BadRequest(f"{name}Base64 or {name}Url is needed")


def _parse_simple_change(content: str) -> tuple[str, Action, int | None]:
    found = _SIMPLE.fullmatch(content)
    if found is None:
        raise BadRequest("content: must be a task id and U1 to U4, V1 to V4, or R")
    if found[4]:
        return found[4], Action.REROLL, None
    what = Action.UPSCALE if found[2].upper() == "U" else Action.VARIATION
    return found[1], what, int(found[3])
