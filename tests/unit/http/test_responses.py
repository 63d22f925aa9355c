"""Every error of Athena as the APIs answer it: one table, so that no new class is forgotten."""

from collections.abc import Iterator

import pytest
from litestar import Request
from litestar.datastructures import State
from tests.unit.fakes import make_task

from athena import errors
from athena.delivery.fetching import NoImage
from athena.discord.errors import Unauthorized
from athena.errors import AthenaError
from athena.http import app
from athena.http.mj import responses
from athena.http.mj.responses import Code, Language
from athena.http.trigger import routes as trigger
from athena.service.options import Accepted
from athena.store.encryption import DecryptionFailed

REFUSED = errors.RequestRefused("why")

TABLE: list[tuple[Exception, int, Code, str | None]] = [
    (AthenaError("why"), 500, Code.FAILURE, None),
    (REFUSED, 200, Code.VALIDATION_ERROR, None),
    (errors.BadRequest("why"), 200, Code.VALIDATION_ERROR, None),
    (errors.KeyReused(), 200, Code.VALIDATION_ERROR, None),
    (errors.BannedWord("w", "a w"), 200, Code.BANNED_WORD, None),
    (errors.NotFound("why"), 404, Code.NOT_FOUND, None),
    (errors.UnknownTask("1"), 404, Code.NOT_FOUND, None),
    (errors.UnknownAccount("1"), 404, Code.NOT_FOUND, None),
    (errors.UnknownTrigger("1"), 404, Code.NOT_FOUND, None),
    (errors.NotAllowed("why"), 403, Code.FAILURE, None),
    (errors.WrongState("why"), 200, Code.VALIDATION_ERROR, None),
    (errors.UnknownButton("why"), 200, Code.VALIDATION_ERROR, None),
    (errors.NotSupported("why"), 200, Code.VALIDATION_ERROR, None),
    (errors.QueueFull("5", 3), 200, Code.QUEUE_FULL, None),
    (errors.QuotaExceeded("why", 1.2), 429, Code.FAILURE, "2"),
    (errors.NoAccount("why"), 200, Code.FAILURE, None),
    (errors.NoAnswer("why"), 200, Code.FAILURE, None),
    (errors.StoreError("why"), 500, Code.FAILURE, None),
    (errors.StoreUnavailable("why"), 200, Code.FAILURE, None),
    (errors.Conflict("why"), 200, Code.FAILURE, None),
    (errors.UnknownTaskRow("1"), 200, Code.FAILURE, None),
    (errors.SearchTimeout("why"), 503, Code.FAILURE, "1"),
    (errors.FolderInUse("why"), 500, Code.FAILURE, None),
    (errors.SchemaMismatch("why"), 500, Code.FAILURE, None),
    (errors.SchemaTooNew("why"), 500, Code.FAILURE, None),
    (errors.SchemaTooOld("why"), 500, Code.FAILURE, None),
    (NoImage("why"), 404, Code.FAILURE, None),
    (DecryptionFailed("why"), 500, Code.FAILURE, None),
    (Unauthorized("why"), 500, Code.FAILURE, None),
    (KeyError("why"), 500, Code.FAILURE, None),
]
"""Error, HTTP status, the body's code, `Retry-After`."""

TRIGGER: list[tuple[Exception, int, int]] = [
    (errors.BadRequest("why"), 400, 13),
    (errors.KeyReused(), 400, 13),
    (errors.WrongState("why"), 400, 13),
    (errors.UnknownButton("why"), 400, 13),
    (errors.NotSupported("why"), 400, 13),
    (errors.BannedWord("w", "a w"), 200, 14),
    (errors.UnknownTask("1"), 404, 16),
    (errors.UnknownTrigger("1"), 404, 16),
    (errors.NotAllowed("why"), 403, 13),
    (errors.QueueFull("5", 3), 200, 15),
    (errors.QuotaExceeded("why", 1.2), 200, 15),
    (errors.NoAccount("why"), 200, 11),
    (errors.NoAnswer("why"), 200, 12),
    (errors.StoreUnavailable("why"), 200, 12),
    (errors.Conflict("why"), 200, 12),
    (errors.SearchTimeout("why"), 200, 12),
]
"""The same for the trigger API: error, HTTP status, the body's code."""


def named(value: object) -> str | None:
    return type(value).__name__ if isinstance(value, Exception) else None


def every(kind: type[AthenaError]) -> Iterator[type[AthenaError]]:
    yield kind
    for each in kind.__subclasses__():
        yield from every(each)


def asked(language: str = "en") -> Request[None, None, State]:
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/mj/task/1/fetch",
        "headers": [(b"accept-language", language.encode())],
        "query_string": b"",
        "server": ("127.0.0.1", 80),
    }
    return Request(scope)  # type: ignore[arg-type]


def test_the_table_has_every_class() -> None:
    listed = {type(error) for error, *_ in TABLE}
    own = {each for each in every(AthenaError) if each.__module__ == errors.__name__}
    assert own <= listed


@pytest.mark.parametrize(("error", "status", "code", "retry"), TABLE, ids=named)
def test_an_error_has_status_code_and_header(
    error: Exception, status: int, code: Code, retry: str | None
) -> None:
    answer = app._error(asked(), error)
    assert (answer.status_code, answer.content.code) == (status, code)
    assert answer.headers.get("Retry-After") == retry
    assert (answer.content.result, bool(answer.content.description)) == (None, True)


@pytest.mark.parametrize(("error", "status", "code", "retry"), TABLE, ids=named)
def test_every_error_is_told_in_both_languages(
    error: Exception, status: int, code: Code, retry: str | None
) -> None:
    chinese = responses.refused(error, Language.CHINESE).description
    english = responses.refused(error, Language.ENGLISH).description
    assert chinese != english
    assert english.isascii()


@pytest.mark.parametrize("error", [KeyError("secret"), AthenaError("secret")])
def test_what_nobody_foresaw_tells_no_details(error: Exception) -> None:
    for language in Language:
        assert "secret" not in responses.refused(error, language).description


def test_a_banned_word_and_a_full_queue_say_which() -> None:
    banned = responses.refused(errors.BannedWord("w", "a w"), Language.ENGLISH)
    assert banned.properties == {"promptEn": "a w", "bannedWord": "w"}
    full = responses.refused(errors.QueueFull("5", 3), Language.ENGLISH)
    assert full.properties == {"discordInstanceId": "5"}


@pytest.mark.parametrize(("error", "status", "code"), TRIGGER, ids=named)
def test_the_trigger_api_has_codes_of_its_own(error: Exception, status: int, code: int) -> None:
    answer = trigger._error_response(asked(), error)
    assert (answer.status_code, answer.content.code) == (status, code)
    assert answer.content.message == (
        f"request params error: {error}" if code == 13 else str(error)
    )


def test_the_trigger_api_hides_what_nobody_foresaw() -> None:
    answer = trigger._internal_error(asked(), KeyError("secret"))
    assert (answer.status_code, answer.content.code) == (500, 12)
    assert "secret" not in answer.content.message


@pytest.mark.parametrize(
    ("done", "code", "properties"),
    [
        (Accepted(task=make_task(1)), Code.SUCCESS, {}),
        (Accepted(task=make_task(1), ahead=0), Code.IN_QUEUE, {"numberOfQueues": 0}),
        (
            Accepted(task=make_task(1), modal="cat", remix=True),
            Code.WAITING_FOR_MODAL,
            {"finalPrompt": "cat", "remix": True},
        ),
        (
            Accepted(task=make_task(1), modal=""),
            Code.WAITING_FOR_MODAL,
            {"finalPrompt": "", "remix": False},
        ),
    ],
)
def test_what_was_accepted(done: Accepted, code: Code, properties: dict[str, object]) -> None:
    answer = responses.accepted(done, Language.ENGLISH)
    assert (answer.code, answer.result) == (code, make_task(1).id)
    assert answer.properties == {"discordInstanceId": "5", **properties}
    assert responses.accepted(done, Language.CHINESE).description != answer.description


def test_what_makes_no_task() -> None:
    answer = responses.success("7", Language.ENGLISH)
    assert (answer.code, answer.result, answer.description) == (Code.SUCCESS, "7", "Success")


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, Language.CHINESE),
        ("", Language.CHINESE),
        ("fr,en;q=0.5", Language.ENGLISH),
        ("EN-gb", Language.ENGLISH),
        ("zh-CN,en", Language.CHINESE),
        ("de, fr", Language.CHINESE),
    ],
)
def test_the_language_is_the_first_that_we_speak(header: str | None, language: Language) -> None:
    assert Language.of(header) is language
