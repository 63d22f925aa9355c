"""Translation by an external service: any OpenAI-compatible chat, Baidu, or DeepL.

It is off unless the operator configures a provider. Each provider has one method; every failure,
including a timeout, is a `NotTranslated`, and the caller continues with the original text.
"""

import asyncio
import hashlib
import secrets
from typing import Any, Protocol

import aiohttp
import msgspec

from athena.errors import AthenaError
from athena.settings import TranslationSettings

_OPENAI = "https://api.openai.com/v1"
_BAIDU = "https://fanyi-api.baidu.com/api/trans/vip/translate"
_DEEPL = "https://api-free.deepl.com/v2/translate"
_NAMES = {"en": "English", "zh": "Simplified Chinese"}


class NotTranslated(AthenaError):
    """The translation failed; the message says why, without secrets."""


class Translator(Protocol):
    """Translates into `en` or `zh`."""

    async def translate(self, text: str, into: str) -> str:
        """Raises:
        NotTranslated: it failed or timed out.
        """
        ...


def translator(settings: TranslationSettings, http: aiohttp.ClientSession) -> Translator | None:
    """The provider that the settings name, if any."""
    match settings.provider:
        case "openai":
            return WithTimeout(OpenAiChat(settings, http), settings.timeout)
        case "baidu":
            return WithTimeout(Baidu(settings, http), settings.timeout)
        case "deepl":
            return WithTimeout(DeepL(settings, http), settings.timeout)
        case _:
            return None


class WithTimeout:
    """A provider with a timeout."""

    def __init__(self, provider: Translator, seconds: float) -> None:
        self._provider = provider
        self._seconds = seconds

    async def translate(self, text: str, into: str) -> str:
        try:
            async with asyncio.timeout(self._seconds):
                return await self._provider.translate(text, into)
        except TimeoutError as error:
            raise NotTranslated(f"no answer in {self._seconds:g} seconds") from error
        except (aiohttp.ClientError, OSError) as error:
            raise NotTranslated(type(error).__name__) from error
        except (msgspec.MsgspecError, KeyError, IndexError, TypeError) as error:
            raise NotTranslated("the answer is not understood") from error


class OpenAiChat:
    """Any server with OpenAI's chat completions API."""

    def __init__(self, settings: TranslationSettings, http: aiohttp.ClientSession) -> None:
        self._url = f"{(settings.url or _OPENAI).rstrip('/')}/chat/completions"
        self._key = settings.key.get_secret_value()
        self._model = settings.model
        self._http = http

    async def translate(self, text: str, into: str) -> str:
        order = (
            f"Translate the user's text into {_NAMES[into]}. It is the description of an image. "
            "Answer with the translation alone. Keep line breaks, numbering and markup."
        )
        messages = [{"role": "system", "content": order}, {"role": "user", "content": text}]
        body = {"model": self._model, "messages": messages, "temperature": 0}
        headers = {"Authorization": f"Bearer {self._key}"}
        async with self._http.post(self._url, json=body, headers=headers) as answer:
            translation = await _understood(answer)
        return _text(translation["choices"][0]["message"]["content"])


class Baidu:
    """Baidu's translation; its API requires an MD5 signature."""

    def __init__(self, settings: TranslationSettings, http: aiohttp.ClientSession) -> None:
        self._url = settings.url or _BAIDU
        self._app_id = settings.app_id
        self._key = settings.key.get_secret_value()
        self._http = http

    async def translate(self, text: str, into: str) -> str:
        salt = secrets.token_hex(8)
        signed = f"{self._app_id}{text}{salt}{self._key}".encode()
        form = {
            "q": text,
            "from": "auto",
            "to": into,
            "appid": self._app_id,
            "salt": salt,
            "sign": hashlib.md5(signed, usedforsecurity=False).hexdigest(),
        }
        async with self._http.post(self._url, data=form) as answer:
            translation = await _understood(answer)
        if "trans_result" not in translation:
            raise NotTranslated(f"Baidu returned error {translation.get('error_code')}")
        return _laid_out(text, [_text(line["dst"]) for line in translation["trans_result"]])


class DeepL:
    """DeepL's API, free or paid."""

    def __init__(self, settings: TranslationSettings, http: aiohttp.ClientSession) -> None:
        self._url = settings.url or _DEEPL
        self._key = settings.key.get_secret_value()
        self._http = http

    async def translate(self, text: str, into: str) -> str:
        target = {"en": "EN-US", "zh": "ZH-HANS"}[into]
        body = {"text": [text], "target_lang": target, "preserve_formatting": True}
        headers = {"Authorization": f"DeepL-Auth-Key {self._key}"}
        async with self._http.post(self._url, json=body, headers=headers) as answer:
            translation = await _understood(answer)
        return _text(translation["translations"][0]["text"])


async def _understood(answer: aiohttp.ClientResponse) -> dict[str, Any]:
    if answer.status != 200:
        raise NotTranslated(f"the service answered {answer.status}")
    return msgspec.json.decode(await answer.read(), type=dict[str, Any])


def _laid_out(text: str, lines: list[str]) -> str:
    """Restore the blank lines that Baidu leaves out."""
    given = text.split("\n")
    if sum(bool(line.strip()) for line in given) != len(lines):
        return "\n".join(lines)
    said = iter(lines)
    return "\n".join(next(said) if line.strip() else "" for line in given)


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise NotTranslated("the answer is empty")
    return value.strip()
