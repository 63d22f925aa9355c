"""Signing in with a browser: a token is entered once and becomes a cookie.

The cookie holds the token encrypted with the server's key, so it is useless elsewhere; scripts of
the page cannot read it, and other sites' pages cannot make the browser send it (HttpOnly,
SameSite=Strict). Calls that change something also need a header of the page, which no
form of another site can send.
"""

from collections.abc import Callable
from http.cookies import CookieError, SimpleCookie
from typing import Annotated

from litestar import Request, Response, delete, post
from litestar.datastructures import Cookie, State
from litestar.params import JSONBody
from msgspec import Meta, Struct

from athena.http.auth import Headers
from athena.http.mj import responses
from athena.http.mj.responses import Answer, Language
from athena.http.mj.submits import TheServices
from athena.http.openapi import ERRORS
from athena.store.encryption import DecryptionFailed, Encryption

COOKIE = "athena"
_PAGE = b"x-athena-page"
_MONTH = 30 * 24 * 60 * 60
_READS = ("GET", "HEAD")
_REMEMBERED = 100


class SignIn(Struct, kw_only=True):
    secret: Annotated[str, Meta(min_length=1, max_length=500)]


class Sessions:
    """Decrypts the cookies of signed-in browsers."""

    def __init__(self, encryption: Callable[[], Encryption]) -> None:
        self._encryption = encryption
        self._opened: dict[str, bytes] = {}

    def secret(self, headers: Headers, method: str) -> bytes | None:
        """The token in a call's cookie; None without one."""
        sent = next((value for name, value in headers if name == b"cookie"), None)
        if sent is None or COOKIE.encode() not in sent:
            return None
        if method not in _READS and all(name != _PAGE for name, _ in headers):
            return None
        try:
            found = SimpleCookie(sent.decode("latin-1")).get(COOKIE)
        except CookieError:
            return None
        return self._open(found.value) if found else None

    def _open(self, sealed: str) -> bytes | None:
        if sealed not in self._opened:
            try:
                opened = self._encryption().decrypt(sealed).encode()
            except DecryptionFailed:
                return None
            if len(self._opened) >= _REMEMBERED:
                self._opened.clear()
            self._opened[sealed] = opened
        return self._opened[sealed]


@post(
    "/session", status_code=200, summary="Sign in with a browser", tags=["page"], responses=ERRORS
)
async def sign_in(
    request: Request[None, None, State], services: TheServices, data: JSONBody[SignIn]
) -> Response[Answer]:
    """The response sets the token as a cookie that scripts cannot read."""
    language = Language.of(request.headers.get("accept-language"))
    if not services.authenticator.knows(data.secret):
        await services.token_registry.look()
        if not services.authenticator.knows(data.secret):
            return Response(responses.failed("no such token", language), status_code=401)
    secure = "https" in (request.url.scheme, request.headers.get("x-forwarded-proto"))
    cookie = Cookie(
        key=COOKIE, value=services.encryption.encrypt(data.secret), max_age=_MONTH, httponly=True,
        samesite="strict", secure=secure, path="/",
    )  # fmt: skip
    return Response(responses.success("", language), cookies=[cookie])


@delete("/session", status_code=200, summary="Sign out", tags=["page"], sync_to_thread=False)
def sign_out() -> Response[Answer]:
    """The response deletes the cookie."""
    gone = Cookie(key=COOKIE, value="", max_age=0, httponly=True, samesite="strict", path="/")
    return Response(responses.success("", Language.ENGLISH), cookies=[gone])


HANDLERS = (sign_in, sign_out)
