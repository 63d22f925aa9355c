"""The `/mj` API's codes and messages (contracts: mj-dialect, section 3).

Clients match on the code; people read the text, Chinese by default, English when the request's
Accept-Language prefers it.
"""

from enum import IntEnum, StrEnum
from typing import Annotated

from msgspec import Meta, Struct, field

from athena import errors
from athena.delivery.fetching import NoImage
from athena.http.languages import preferred
from athena.service.options import Accepted


class Code(IntEnum):
    SUCCESS = 1
    NOT_FOUND = 3
    VALIDATION_ERROR = 4
    FAILURE = 9
    WAITING_FOR_MODAL = 21
    IN_QUEUE = 22
    QUEUE_FULL = 23
    BANNED_WORD = 24


class Language(StrEnum):
    CHINESE = "zh"
    ENGLISH = "en"

    @classmethod
    def of(cls, accept_language: str | None) -> "Language":
        """The one that the header prefers; Chinese when it accepts neither."""
        return cls(preferred(accept_language, ("zh", "en")))


class Answer(Struct, kw_only=True):
    """The answer to a submit."""

    code: Annotated[
        int,
        Meta(
            description="1 accepted, 21 fill in the modal, 22 queued, 23 queue full, 24 banned "
            "word, 3 not found, 4 wrong value, 9 failure",
            examples=[1],
        ),
    ]
    description: Annotated[str, Meta(examples=["提交成功"])]
    result: Annotated[
        str | list[str] | None, Meta(description="The task's id.", examples=["1795229866049104"])
    ] = None
    properties: dict[str, str | int | bool] = field(default_factory=dict)


def accepted(done: Accepted, language: Language) -> Answer:
    """Codes 1, 21 and 22."""
    instance: dict[str, str | int | bool] = {"discordInstanceId": done.task.account}
    if done.modal is not None:
        return Answer(
            code=Code.WAITING_FOR_MODAL,
            description=_say(language, "窗口等待", "A modal is to be filled in"),
            result=done.task.id,
            properties={**instance, "finalPrompt": done.modal, "remix": done.remix},
        )
    if done.ahead is None:
        text = _say(language, "提交成功", "Submitted")
        return Answer(code=Code.SUCCESS, description=text, result=done.task.id, properties=instance)
    text = _say(
        language, f"排队中，前面还有{done.ahead}个任务", f"Queued, {done.ahead} tasks before it"
    )
    return Answer(
        code=Code.IN_QUEUE,
        description=text,
        result=done.task.id,
        properties={**instance, "numberOfQueues": done.ahead},
    )


def success(result: str | list[str], language: Language) -> Answer:
    """Code 1 for requests that create no task."""
    return Answer(code=Code.SUCCESS, description=_say(language, "成功", "Success"), result=result)


def invalid(detail: str, language: Language) -> Answer:
    """Code 4."""
    text = _say(language, f"参数错误: {detail}", f"Validation error: {detail}")
    return Answer(code=Code.VALIDATION_ERROR, description=text)


def failed(detail: str, language: Language) -> Answer:
    """Code 9."""
    return Answer(
        code=Code.FAILURE, description=_say(language, f"失败: {detail}", f"Failed: {detail}")
    )


class ErrorAnswer(Struct, frozen=True, kw_only=True):
    """How an error is answered: the HTTP status, the body, and when to retry."""

    status: int
    answer: Answer
    retry_after: float | None = None
    """Seconds."""


def of_error(error: Exception, language: Language) -> ErrorAnswer:
    """Every error of Athena in this API's form. The only place where that is decided."""
    match error:
        case errors.NotFound():
            return ErrorAnswer(status=404, answer=_answer(error, language))
        case errors.NotAllowed():
            return ErrorAnswer(status=403, answer=_answer(error, language))
        case errors.QuotaExceeded(wait=wait):
            return ErrorAnswer(status=429, answer=_answer(error, language), retry_after=wait)
        case NoImage():
            return ErrorAnswer(status=404, answer=failed(str(error), language))
        case errors.SearchTimeout():
            return ErrorAnswer(status=503, answer=failed(str(error), language), retry_after=1)
        case errors.RequestRefused() | errors.StoreUnavailable() | errors.Conflict():
            return ErrorAnswer(status=200, answer=_answer(error, language))
        case _:
            return ErrorAnswer(status=500, answer=_answer(error, language))


def refused(error: Exception, language: Language) -> Answer:
    """The body alone."""
    return of_error(error, language).answer


def _answer(error: Exception, language: Language) -> Answer:
    match error:
        case errors.BannedWord(word=word, prompt=prompt):
            text = _say(language, "可能包含敏感词", "The prompt may hold a banned word")
            return Answer(
                code=Code.BANNED_WORD,
                description=text,
                properties={"promptEn": prompt, "bannedWord": word},
            )
        case errors.UnknownAccount():
            text = _say(language, "账号不存在", "The account was not found")
            return Answer(code=Code.NOT_FOUND, description=text)
        case errors.NotFound():
            text = _say(language, "关联任务不存在或已失效", "The related task was not found")
            return Answer(code=Code.NOT_FOUND, description=text)
        case errors.WrongState():
            text = _say(language, "关联任务状态错误", "The related task is in the wrong state")
            return Answer(code=Code.VALIDATION_ERROR, description=f"{text}: {error}")
        case errors.QueueFull(account=account):
            text = _say(language, "队列已满，请稍后尝试", "The queue is full, try again later")
            return Answer(
                code=Code.QUEUE_FULL, description=text, properties={"discordInstanceId": account}
            )
        case errors.NoAccount():
            text = _say(language, "无可用的账号实例", "No usable account")
            return Answer(code=Code.FAILURE, description=f"{text}: {error}")
        case errors.NoAnswer() | errors.NotAllowed() | errors.QuotaExceeded():
            return failed(str(error), language)
        case errors.RequestRefused():
            return invalid(str(error), language)
        case errors.StoreError():
            return failed(_say(language, "存储不可用", "the store is not available"), language)
        case _:
            return failed(_say(language, "内部错误", "internal error"), language)


def _say(language: Language, chinese: str, english: str) -> str:
    return english if language is Language.ENGLISH else chinese
