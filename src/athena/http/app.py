"""The HTTP application: the APIs, the API page, and errors in each API's own form."""

import math
from typing import cast

import structlog
from litestar import Litestar, Request, Response, Router, get
from litestar.datastructures import State
from litestar.di import Provide
from litestar.exceptions import HTTPException, ValidationException
from litestar.static_files import create_static_files_router

from athena.http import health, openapi
from athena.http.calls import KEY, Call, Services
from athena.http.fast_path import ASGIApp, FastPath
from athena.http.mj import admin, images, responses, submits, tasks
from athena.http.mj.responses import Answer, Language
from athena.http.page import api as page_api
from athena.http.page import files, session
from athena.http.trigger import routes as trigger
from athena.web import DOCS_FILES

log = structlog.get_logger(__name__)

_SUBMITS = ("/mj/submit/", "/mj/insight-face/")

Asked = Request[None, None, State]


def make(services: Services) -> FastPath:
    """The application on top of running services."""
    app = Litestar(
        route_handlers=[
            _mj(),
            trigger.router(),
            *health.HANDLERS,
            *session.HANDLERS,
            *files.HANDLERS,
            _assets(),
            schema,
        ],
        dependencies={
            "services": Provide(lambda: services, sync_to_thread=False),
            "call": Provide(_call, sync_to_thread=False),
        },
        exception_handlers={HTTPException: _http_error, Exception: _error},
        openapi_config=openapi.config(),
        request_max_body_size=services.settings.server.body_limit_mb * 1024 * 1024,
        logging_config=None,
    )
    return FastPath(cast(ASGIApp, app), services)


def _call(request: Asked) -> Call:
    """The call that the fast path prepared."""
    return cast(Call, request.scope[KEY])  # type: ignore[literal-required]


def _mj() -> Router:
    """Every path of the `/mj` API; the fast path removes the other prefixes."""
    handlers = [
        *submits.HANDLERS,
        *tasks.HANDLERS,
        *images.HANDLERS,
        *admin.HANDLERS,
        *page_api.HANDLERS,
    ]
    return Router("/mj", route_handlers=handlers, tags=["mj"])


@get("/openapi.json", include_in_schema=False, sync_to_thread=False)
def schema(request: Asked) -> dict[str, object]:
    """The OpenAPI 3.1 description, where tools look for it."""
    return request.app.openapi_schema.to_schema()


def _assets() -> Router:
    return create_static_files_router("/docs/files", directories=[DOCS_FILES], name="docs-files")


def _language(request: Asked) -> Language:
    return Language.of(request.headers.get("accept-language"))


def _error(request: Asked, error: Exception) -> Response[Answer]:
    """Our own errors, and unexpected exceptions."""
    said = responses.of_error(error, _language(request))
    if said.status == 500:
        log.error("request.failed", path=request.url.path, exc_info=error)
    wait = said.retry_after
    headers = {} if wait is None else {"Retry-After": str(math.ceil(wait))}
    return Response(said.answer, status_code=said.status, headers=headers)


def _http_error(request: Asked, error: HTTPException) -> Response[Answer]:
    """Errors of the framework: a body that is not JSON, too large, or invalid."""
    language = _language(request)
    if isinstance(error, ValidationException):
        # Of a submit clients read the code alone; no body at all is no JSON either.
        empty = request.headers.get("content-length", "0") == "0"
        status = 200 if request.url.path.startswith(_SUBMITS) and not empty else 400
        return Response(responses.invalid(_faults(error), language), status_code=status)
    return Response(responses.invalid(error.detail, language), status_code=error.status_code)


def _faults(error: ValidationException) -> str:
    faults = error.extra if isinstance(error.extra, list) else []
    texts = [f"{fault.get('key', '')}: {fault.get('message', '')}" for fault in faults]
    return "; ".join(texts) or error.detail
