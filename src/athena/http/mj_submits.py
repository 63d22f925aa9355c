"""The `/mj` dialect's submits (contracts: mj-dialect, sections 2 to 5)."""

import re
from collections.abc import Sequence

from litestar import Request, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import JSONBody

from athena.delivery.fetching import Fetcher
from athena.delivery.guard import BadLink, check_link
from athena.engine import orders
from athena.engine.desk import Accepted, Desk, Wishes
from athena.engine.refusals import BadRequest
from athena.http import mj_bodies as bodies
from athena.http import mj_words as words
from athena.http import pictures_in
from athena.http.mj_words import Answer, Language
from athena.settings import HookSettings
from athena.tasks.model import Action
from athena.tasks.requests import Dimensions, Upload

Call = Request[None, None, State]
TheDesk = NamedDependency[Desk]
TheHooks = NamedDependency[HookSettings]
TheFetcher = NamedDependency[Fetcher]

_SIMPLE = re.compile(r"\s*(\d+)\s+([UV])([1-4])\s*|\s*(\d+)\s+R\s*", re.IGNORECASE)


@post("/submit/imagine", status_code=200, summary="Make pictures of a text")
async def imagine(
    request: Call, desk: TheDesk, hooks: TheHooks, data: JSONBody[bodies.ImagineBody]
) -> Answer:
    """Pictures are uploaded and their links put before the prompt."""
    return await take_imagine(desk, hooks, data, language_of(request))


async def take_imagine(
    desk: Desk, hooks: HookSettings, data: bodies.ImagineBody, language: Language
) -> Answer:
    """The same for the front door, which decodes small bodies by itself. Raises as the desk."""
    order = orders.imagine(data.prompt, pictures_in.decode_all(data.pictures, "picture"))
    return words.accepted(await desk.submit(order, _wishes(hooks, data)), language)


@post("/submit/blend", status_code=200, summary="Make pictures of two to five others")
async def blend(
    request: Call, desk: TheDesk, hooks: TheHooks, data: JSONBody[bodies.BlendBody]
) -> Answer:
    """`dimensions` is the shape, SQUARE unless named."""
    shape = Dimensions(data.dimensions) if data.dimensions else None
    uploads = pictures_in.decode_all([text for text in data.base64_array if text], "blend")
    done = await desk.submit(orders.blend(uploads, shape), _wishes(hooks, data))
    return _answer(request, done)


@post("/submit/describe", status_code=200, summary="Find prompts for a picture")
async def describe(
    request: Call, desk: TheDesk, hooks: TheHooks, data: JSONBody[bodies.DescribeBody]
) -> Answer:
    """`finalPrompt` of the finished task holds four prompts."""
    upload = pictures_in.decode(data.base64, "describe", "base64") if data.base64 else None
    order = orders.describe(data.link or "", upload)
    return _answer(request, await desk.submit(order, _wishes(hooks, data)))


@post("/submit/shorten", status_code=200, summary="Find the words of a prompt that matter")
async def shorten(
    request: Call, desk: TheDesk, hooks: TheHooks, data: JSONBody[bodies.ShortenBody]
) -> Answer:
    """`finalPrompt` of the finished task holds the words and the shorter prompts."""
    order = orders.shorten(data.prompt)
    return _answer(request, await desk.submit(order, _wishes(hooks, data)))


@post("/submit/show", status_code=200, summary="Bring an old job back")
async def show(
    request: Call, desk: TheDesk, hooks: TheHooks, data: JSONBody[bodies.ShowBody]
) -> Answer:
    """The finished task has the job's picture and buttons."""
    order = orders.show(data.job_id)
    return _answer(request, await desk.submit(order, _wishes(hooks, data)))


@post("/submit/edits", status_code=200, summary="Change a picture as a text says")
async def edits(
    request: Call,
    desk: TheDesk,
    hooks: TheHooks,
    fetcher: TheFetcher,
    data: JSONBody[bodies.EditsBody],
) -> Answer:
    """Midjourney's bot has no editor for pictures of one's own: the picture goes as a picture
    prompt of the greatest weight, with what the mask marks taken out of it."""
    wishes = _wishes(hooks, data)
    if data.mask_base64 is None and pictures_in.is_link(data.image):
        order = orders.edit(data.prompt, data.image)
    else:
        order = orders.edit(data.prompt, uploads=[await _edited(fetcher, data)])
    return _answer(request, await desk.submit(order, wishes))


@post("/submit/video", status_code=200, summary="Make films, or go on with one")
async def video(
    request: Call, desk: TheDesk, hooks: TheHooks, data: JSONBody[bodies.VideoBody]
) -> Answer:
    """From a text, a first frame, or both; with `action` `extend`, from a finished task's film."""
    wishes = _wishes(hooks, data)
    if data.action == "extend":
        if not data.task_id:
            raise BadRequest("taskId: the task whose film is to be extended is needed")
        done = await desk.extend(data.task_id, data.index or 0, data.motion or "high", wishes)
        return _answer(request, done)
    if data.action:
        raise BadRequest(f"action: must be extend or left out, not {data.action!r}")
    film, uploads = _film(data)
    return _answer(
        request, await desk.submit(orders.film(data.prompt or "", film, uploads), wishes)
    )


@post("/insight-face/swap", status_code=200, summary="Put a face into a picture")
async def swap(
    request: Call,
    desk: TheDesk,
    hooks: TheHooks,
    fetcher: TheFetcher,
    data: JSONBody[bodies.SwapBody],
) -> Answer:
    """The face of the source goes into the target."""
    wishes = _wishes(hooks, data)
    source = await _given(fetcher, data.source_base64, data.source_url, "source")
    target = await _given(fetcher, data.target_base64, data.target_url, "target")
    return _answer(request, await desk.submit(orders.swap_face(source, target), wishes))


@post("/submit/action", status_code=200, summary="Press a button of a finished task")
async def action(
    request: Call, desk: TheDesk, hooks: TheHooks, data: JSONBody[bodies.ActionBody]
) -> Answer:
    """`customId` is one of the task's `buttons`. Code 21: a window is to be filled in."""
    wishes = _wishes(hooks, data)
    return _answer(request, await desk.press(data.task_id, data.custom_id, wishes))


@post("/submit/modal", status_code=200, summary="Fill in the window of a waiting task")
async def modal(request: Call, desk: TheDesk, data: JSONBody[bodies.ModalBody]) -> Answer:
    """For tasks in status MODAL: a remix prompt, a custom zoom, a region to redraw."""
    mask = await pictures_in.decode_mask(data.mask_base64) if data.mask_base64 else None
    return _answer(request, await desk.confirm(data.task_id, data.prompt or "", mask))


@post("/submit/change", status_code=200, summary="Upscale, vary or reroll by number")
async def change(
    request: Call, desk: TheDesk, hooks: TheHooks, data: JSONBody[bodies.ChangeBody]
) -> Answer:
    """The older form of an action."""
    index = None if data.action == "REROLL" else data.index
    if index is None and data.action != "REROLL":
        raise BadRequest("index: a number from 1 to 4 is needed")
    wishes = _wishes(hooks, data)
    done = await desk.press_numbered(data.task_id, Action(data.action), index, wishes)
    return _answer(request, done)


@post("/submit/simple-change", status_code=200, summary="The same in one line")
async def simple_change(
    request: Call, desk: TheDesk, hooks: TheHooks, data: JSONBody[bodies.SimpleChangeBody]
) -> Answer:
    """`content` is the task's id and U1 to U4, V1 to V4, or R."""
    task_id, what, index = _simple(data.content)
    wishes = _wishes(hooks, data)
    return _answer(request, await desk.press_numbered(task_id, what, index, wishes))


HANDLERS = (
    imagine, blend, describe, shorten, show, edits, video, swap, action, modal, change,
    simple_change,
)  # fmt: skip


def language_of(request: Call) -> Language:
    """The language that a call wants to be answered in."""
    return Language.of(request.headers.get("accept-language"))


def _answer(request: Call, done: Accepted) -> Answer:
    return words.accepted(done, language_of(request))


def _wishes(hooks: HookSettings, data: bodies.Submit) -> Wishes:
    hook = data.notify_hook
    if hook:
        try:
            check_link(hook, "notifyHook", allow_loopback=hooks.allow_loopback)
        except BadLink as error:
            raise BadRequest(str(error)) from error
    return Wishes(state=data.state, hook=hook or hooks.url or None, bot=data.bot)


def _film(data: bodies.VideoBody) -> tuple[orders.Film, Sequence[Upload]]:
    """Frames that are links go into the prompt, others are uploaded."""
    uploads: list[Upload] = []
    links = {"image": "", "endImage": ""}
    for field, text in (("image", data.image), ("endImage", data.end_image)):
        if text and pictures_in.is_link(text):
            links[field] = text
        elif text:
            uploads.append(pictures_in.decode(text, field, field))
    film = orders.Film(
        start=links["image"],
        end=links["endImage"],
        end_uploaded=bool(data.end_image and not links["endImage"]),
        motion=data.motion or "",
        loop=bool(data.loop),
        batch=data.batch_size,
    )
    return film, uploads


async def _edited(fetcher: Fetcher, data: bodies.EditsBody) -> Upload:
    if pictures_in.is_link(data.image):
        picture = await pictures_in.fetch(fetcher, data.image, "edit", "image")
    else:
        picture = pictures_in.decode(data.image, "edit", "image")
    if data.mask_base64 is None:
        return picture
    return await pictures_in.erased(picture, await pictures_in.decode_mask(data.mask_base64))


async def _given(fetcher: Fetcher, text: str | None, url: str | None, name: str) -> Upload:
    if text:
        return pictures_in.decode(text, name, f"{name}Base64")
    if url:
        return await pictures_in.fetch(fetcher, url, name, f"{name}Url")
    raise BadRequest(f"{name}Base64 or {name}Url is needed")


def _simple(content: str) -> tuple[str, Action, int | None]:
    found = _SIMPLE.fullmatch(content)
    if found is None:
        raise BadRequest("content: must be a task id and U1 to U4, V1 to V4, or R")
    if found[4]:
        return found[4], Action.REROLL, None
    what = Action.UPSCALE if found[2].upper() == "U" else Action.VARIATION
    return found[1], what, int(found[3])
