"""The HTTP application: dialects, the API page, and errors in the dialects' own form."""

from typing import cast

import structlog
from litestar import Litestar, Request, Response, Router, get
from litestar.datastructures import State
from litestar.di import Provide
from litestar.exceptions import HTTPException, ValidationException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import SwaggerRenderPlugin
from litestar.response import Redirect
from litestar.static_files import create_static_files_router

from athena import __version__
from athena.delivery.fetching import Fetcher
from athena.engine.desk import Desk
from athena.engine.refusals import Refused, UnknownTask
from athena.http import mj
from athena.http import mj_words as words
from athena.http.auth import Gate
from athena.http.front import ASGIApp, Front
from athena.http.mj_words import Answer, Language
from athena.settings import Settings
from athena.web import DOCS_FILES

log = structlog.get_logger(__name__)

Call = Request[None, None, State]


def make(settings: Settings, desk: Desk, fetcher: Fetcher) -> Front:
    """The whole application over an engine that runs.

    Raises:
        OpenToTheWorld: it would be open to others without a secret.
    """
    gate = Gate(settings.server)
    app = Litestar(
        route_handlers=[mj.router(), _assets(), home, schema],
        dependencies={
            "desk": Provide(lambda: desk, sync_to_thread=False),
            "hooks": Provide(lambda: settings.hooks, sync_to_thread=False),
            "fetcher": Provide(lambda: fetcher, sync_to_thread=False),
        },
        exception_handlers={
            UnknownTask: mj.not_found,
            Refused: _refused,
            HTTPException: _http_error,
            Exception: _broken,
        },
        openapi_config=_openapi(),
        request_max_body_size=settings.server.body_limit_mb * 1024 * 1024,
        logging_config=None,
    )
    return Front(cast(ASGIApp, app), gate, desk, settings.hooks)


@get("/", include_in_schema=False, sync_to_thread=False)
def home() -> Redirect:
    """Until there is more to see, the API page."""
    return Redirect("/docs")


@get("/openapi.json", include_in_schema=False, sync_to_thread=False)
def schema(request: Call) -> dict[str, object]:
    """The OpenAPI 3.1 description at the place where tools look for it."""
    return request.app.openapi_schema.to_schema()


def _openapi() -> OpenAPIConfig:
    files = "/docs/files"
    page = SwaggerRenderPlugin(
        js_url=f"{files}/swagger-ui-bundle.js",
        css_url=f"{files}/swagger-ui.css",
        standalone_preset_js_url=f"{files}/swagger-ui-bundle.js",
        favicon="",
    )
    return OpenAPIConfig(
        title="Athena",
        version=__version__,
        description="Your own Midjourney subscription, from programs.",
        path="/docs",
        render_plugins=[page],
    )


def _assets() -> Router:
    return create_static_files_router("/docs/files", directories=[DOCS_FILES], name="docs-files")


def _language(request: Call) -> Language:
    return Language.of(request.headers.get("accept-language"))


def _refused(request: Call, error: Refused) -> Response[Answer]:
    return Response(words.refused(error, _language(request)), status_code=200)


def _http_error(request: Call, error: HTTPException) -> Response[Answer]:
    """What the framework itself refuses: a body that is no JSON, too large, of a wrong form."""
    language = _language(request)
    if isinstance(error, ValidationException):
        # No body at all is no JSON either, which this dialect answers with 400.
        empty = request.headers.get("content-length", "0") == "0"
        return Response(words.invalid(_faults(error), language), status_code=400 if empty else 200)
    return Response(words.invalid(error.detail, language), status_code=error.status_code)


def _faults(error: ValidationException) -> str:
    faults = error.extra if isinstance(error.extra, list) else []
    texts = [f"{fault.get('key', '')}: {fault.get('message', '')}" for fault in faults]
    return "; ".join(texts) or error.detail


def _broken(request: Call, error: Exception) -> Response[Answer]:
    log.error("request.failed", path=request.url.path, exc_info=error)
    return Response(words.refused(error, _language(request)), status_code=500)
