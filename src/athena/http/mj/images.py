"""Images that this server relays: `/mj/image/{task id}`, thumbnails and tiles.

An image is opened by a secret like every call, or by the signature that its own link carries. Only
finished images may be kept by browsers and caches: they never change.
"""

import re
from typing import Annotated

from litestar import HttpMethod, Request, Response, route
from litestar.datastructures import State
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, PathParameter, QueryParameter

from athena.delivery.fetching import NoImage
from athena.delivery.served import Served
from athena.http.image_links import is_grid
from athena.http.mj.submits import TheServices
from athena.http.openapi import FOR_ONE
from athena.tasks.model import Task

Width = Annotated[
    int | None, QueryParameter(name="w", ge=1, le=4096, description="Pixels, at most.")
]
Tile = Annotated[int, PathParameter(ge=1, le=4)]
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_FOR_EVER = "private, max-age=31536000, immutable"
IMAGE_RESPONSES = {
    **FOR_ONE,
    206: ResponseSpec(bytes, media_type="image/png", description="The requested range."),
    304: ResponseSpec(None, description="The image has not changed."),
    416: ResponseSpec(None, description="The image has no such range."),
}
_METHODS = (HttpMethod.GET, HttpMethod.HEAD)


@route(
    "/image/{task_id:str}",
    http_method=_METHODS,
    summary="A task's image",
    media_type="image/png",
    responses=IMAGE_RESPONSES,
)
async def image(
    request: Request[None, None, State],
    services: TheServices,
    task_id: FromPath[str],
    width: Width = None,
) -> Response[bytes]:
    """As Midjourney made it, or with `w` no wider than that. Ranges and ETags are served."""
    task = await services.queries.find(task_id)
    gallery = services.gallery()
    served = gallery.thumbnail(task, width) if width else gallery.whole(task)
    return _answer(request, task, await served)


@route(
    "/image/{task_id:str}/{number:int}",
    http_method=_METHODS,
    summary="One of a grid's four images",
    media_type="image/png",
    responses=IMAGE_RESPONSES,
)
async def tile(
    request: Request[None, None, State],
    services: TheServices,
    task_id: FromPath[str],
    number: Tile,
    width: Width = None,
) -> Response[bytes]:
    """1 upper left, 2 upper right, 3 lower left, 4 lower right."""
    task = await services.queries.find(task_id)
    if not is_grid(task):
        raise NoImage("this task's image is no grid of four")
    return _answer(request, task, await services.gallery().tile(task, number, width))


HANDLERS = (image, tile)


def _answer(request: Request[None, None, State], task: Task, served: Served) -> Response[bytes]:
    headers = {
        "ETag": f'"{served.etag}"',
        "Accept-Ranges": "bytes",
        "Cache-Control": _FOR_EVER if task.ended else "no-store",
        "Content-Disposition": f'inline; filename="{task.id}.{served.content_type[6:]}"',
    }
    if f'"{served.etag}"' in request.headers.get("if-none-match", ""):
        return Response(b"", status_code=304, headers=headers, media_type=served.content_type)
    wanted = request.headers.get("range")
    if wanted is None or request.headers.get("if-range", f'"{served.etag}"') != f'"{served.etag}"':
        return Response(served.data, headers=headers, media_type=served.content_type)
    return _part(wanted, served, headers)


def _part(wanted: str, served: Served, headers: dict[str, str]) -> Response[bytes]:
    whole = len(served.data)
    span = _span(wanted, whole)
    if span is None:
        headers["Content-Range"] = f"bytes */{whole}"
        return Response(b"", status_code=416, headers=headers, media_type=served.content_type)
    start, end = span
    headers["Content-Range"] = f"bytes {start}-{end - 1}/{whole}"
    part = served.data[start:end]
    return Response(part, status_code=206, headers=headers, media_type=served.content_type)


def _span(wanted: str, whole: int) -> tuple[int, int] | None:
    """Where a range begins and ends; None when there is nothing there."""
    found = _RANGE.fullmatch(wanted.strip())
    if found is None or not (found[1] or found[2]):
        return None
    if not found[1]:
        start, end = max(whole - int(found[2]), 0), whole
    else:
        start = int(found[1])
        end = min(int(found[2]) + 1 if found[2] else whole, whole)
    return (start, end) if start < end else None
