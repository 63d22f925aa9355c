"""What the API documentation adds to the types: errors, secrets, prefixes."""

from collections.abc import Mapping

from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.plugins import SwaggerRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme, Server

from athena.http.mj.responses import Answer
from athena.tasks.model import ImageLinks, Speed
from athena.version import __version__

_DESCRIPTION = """Your own Midjourney subscription, from programs.

Every path of the `/mj` API exists under every prefix: `/mj-fast`, `/mj-relay`,
`/mj-turbo-proxy` and so on; choose one as the server below. The prefix names the speed of the tasks
and the kind of the image links; a token may fix either. Descriptions are Chinese unless the
request's `Accept-Language` asks for English. Wrong values in a submit are answered with status 200
and code 4, because clients of this API read the code."""


def _error(description: str) -> ResponseSpec:
    return ResponseSpec(Answer, generate_examples=False, description=description)


_ALWAYS = {401: _error("The API secret is missing or wrong.")}

ERRORS: Mapping[int, ResponseSpec] = {
    400: _error("Code 4: the request is no JSON, or has a value that cannot be."),
    **_ALWAYS,
}
FOR_ONE: Mapping[int, ResponseSpec] = {**ERRORS, 404: _error("Code 3: there is no such thing.")}
FOR_SUBMITS: Mapping[int, ResponseSpec] = {
    **FOR_ONE,
    413: _error("The body is too large."),
    429: _error("The token's quota is used up; `Retry-After` says for how long."),
}
FOR_ADMINS: Mapping[int, ResponseSpec] = {
    **FOR_ONE,
    403: _error("This needs an administrator's token."),
}


def config() -> OpenAPIConfig:
    """The description, and its page from our own files."""
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
        description=_DESCRIPTION,
        path="/docs",
        render_plugins=[page],
        servers=[Server(url=prefix or "/") for prefix in _prefixes()],
        security=[{}, {"secret": []}, {"bearer": []}],
        components=Components(
            security_schemes={
                "secret": SecurityScheme(
                    type="apiKey", name="mj-api-secret", security_scheme_in="header"
                ),
                "bearer": SecurityScheme(type="http", scheme="bearer"),
            }
        ),
    )


def _prefixes() -> list[str]:
    speeds = ["", *(f"-{speed.lower()}" for speed in Speed)]
    kinds = ["", *(f"-{images}" for images in ImageLinks)]
    return [f"/mj{s}{k}" if s or k else "" for s in speeds for k in kinds]
