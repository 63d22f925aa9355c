"""The page at `/`: static files, and the rules that browsers keep for them.

The policy lets the page load nothing but its own files, talk to nobody but this server, and be
framed by nobody. All links in it are relative, so it works behind a path prefix too.
"""

from functools import cache
from mimetypes import guess_type

from litestar import Response, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from athena.web import PAGE_FILES

_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "media-src 'self' blob:",
        "connect-src 'self'",
        "font-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-cache",
}


@get("/", include_in_schema=False, sync_to_thread=False)
def home() -> Response[bytes]:
    return _file("index.html")


@get("/page/{name:str}", include_in_schema=False, sync_to_thread=False)
def part(name: FromPath[str]) -> Response[bytes]:
    """A file of the page."""
    return _file(name)


HANDLERS = (home, part)


@cache
def _known() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in PAGE_FILES.iterdir() if path.is_file()}


def _file(name: str) -> Response[bytes]:
    data = _known().get(name)
    if data is None:
        raise NotFoundException(f"there is no {name}")
    kind = "text/javascript" if name.endswith(".js") else guess_type(name)[0] or "text/plain"
    return Response(data, headers=_HEADERS, media_type=kind)
