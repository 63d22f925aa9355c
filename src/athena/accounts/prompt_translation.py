"""Translates prompts into English, and the bot's texts into Chinese.

Links and parameters are never translated, except the words of `--no`. A failed translation only
adds a note to the task.
"""

from collections.abc import Sequence

import structlog
from msgspec.structs import replace

from athena.delivery.translation import NotTranslated, Translator
from athena.midjourney import prompts
from athena.midjourney.prompts import Piece
from athena.tasks import lifecycle
from athena.tasks.model import Task
from athena.tasks.requests import Imagine, Press, Request, Shorten

log = structlog.get_logger(__name__)


class PromptTranslation:
    """Translates with one provider; without a provider nothing is translated."""

    def __init__(self, translator: Translator | None = None) -> None:
        self._translator = translator

    @property
    def is_configured(self) -> bool:
        return self._translator is not None

    async def english(self, task: Task) -> Task:
        """The task with its prompt in English, or with a note why not."""
        said = _prompt_of(task.request)
        if self._translator is None or said is None or task.prompt_english:
            return task
        pieces = prompts.pieces(said)
        if not any(piece.is_foreign for piece in pieces):
            return task
        try:
            prompt = await self._joined(pieces, self._translator)
        except NotTranslated as error:
            log.warning("prompt.not_translated", task=task.id, error=str(error))
            return lifecycle.with_note(task, f"The prompt was not translated: {error}.")
        return lifecycle.translated(task, _with_prompt(task.request, prompt), prompt)

    async def chinese(self, words: str) -> str | None:
        """The bot's text in Chinese; None when it could not be translated."""
        if self._translator is None:
            return None
        try:
            return await self._translator.translate(words, "zh")
        except NotTranslated as error:
            log.warning("result.not_translated", error=str(error))
            return None

    async def _joined(self, pieces: Sequence[Piece], translator: Translator) -> str:
        said = [
            await _translated(piece, translator) if piece.is_foreign else piece.text
            for piece in pieces
        ]
        return "".join(said)


async def _translated(piece: Piece, translator: Translator) -> str:
    """A piece in English, with the white space around it as it was."""
    text = piece.text
    words = text.strip()
    before, _, after = text.partition(words)
    return before + await translator.translate(words, "en") + after


def _prompt_of(request: Request) -> str | None:
    match request:
        case Imagine(prompt=prompt) | Shorten(prompt=prompt):
            return prompt
        case Press(reply=reply) if reply and reply.prompt:
            return reply.prompt
        case _:
            return None


def _with_prompt(request: Request, prompt: str) -> Request:
    match request:
        case Imagine() | Shorten():
            return replace(request, prompt=prompt)
        case Press(reply=reply) if reply:
            return replace(request, reply=replace(reply, prompt=prompt))
        case _:
            return request
