"""Describe and shorten: the bot defers its response, then edits it."""

import asyncio
from collections.abc import Callable, Sequence
from functools import lru_cache

from msgspec import Struct

from athena.simulator.bots import forms, words
from athena.simulator.bots.parameters import Refused
from athena.simulator.scenes import Given, Scene
from athena.simulator.stage import Call, Draft, Json, Stage

_SECONDS = 3.0
_SIGNATURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"RIFF")


class Described(Struct, frozen=True, kw_only=True):
    """The description of an image, and how often it was requested."""

    prompts: list[str]
    link: str
    image: Json
    turn: int


class Reading:
    """Descriptions and shortened prompts, by message and by token."""

    def __init__(self, stage: Stage, speed: float) -> None:
        self._stage = stage
        self._seconds = _SECONDS / speed
        self._described: dict[str, Described] = {}
        self._shortened: dict[str, str] = {}

    def described(self, message_id: str) -> Described:
        """The description in a message.

        Raises:
            Refused: there is none.
        """
        if found := self._described.get(message_id):
            return found
        raise Refused("Internal error", "The description is not known any more.")

    def prompt_of(self, token: str) -> str:
        """The prompt of a shorten's token.

        Raises:
            Refused: there is none.
        """
        if found := self._shortened.get(token):
            return found
        raise Refused("Internal error", "The prompt is not known any more.")

    async def describe(self, call: Call, before: Described | None = None) -> None:
        """Answer with four prompts; `before` is a description to replace with others."""
        message = self._stage.respond(call, Draft(loading=True))
        await self._stage.clock.sleep(self._seconds)
        try:
            found = await self._found(call, before)
        except Refused as refused:
            draft = _refusal(refused)
        else:
            self._described[message["id"]] = found
            draft = words.described(found.prompts, found.image)
        self._stage.edit(call.channel_id, message["id"], draft)

    async def shorten(self, call: Call, token: str) -> None:
        """Answer with shorter prompts."""
        prompt = str(call.options.get("prompt") or "").strip()
        message = self._stage.respond(call, Draft(loading=True))
        await self._stage.clock.sleep(self._seconds)
        if len(prompt.split()) < 2:
            refused = Refused("Invalid prompt", "The prompt is too short to be shortened.")
            self._stage.edit(call.channel_id, message["id"], _refusal(refused))
            return
        self._shortened[token] = prompt
        self._stage.edit(call.channel_id, message["id"], words.shortened(prompt, token))

    def choice(self, token: str, number: int) -> str:
        """One of the shorter prompts, from 1.

        Raises:
            Refused: there is none.
        """
        choices = words.shorter(self.prompt_of(token))
        if number > len(choices):
            raise Refused("Job action restricted", "There is no such prompt.")
        return choices[number - 1]

    def details(self, call: Call, token: str) -> None:
        """Answer with every word's weight."""
        self._stage.respond(call, words.weighed(self.prompt_of(token), token))

    def scenes(self, links: Sequence[str]) -> list[Scene]:
        """The images of links to this CDN; other links are skipped.

        Raises:
            Refused: a link points to this CDN, but to no file.
        """
        return [Given(_once(read)) for link in links if (read := self._reader(link))]

    async def _found(self, call: Call, before: Described | None) -> Described:
        if before:
            link, image, turn = before.link, before.image, before.turn + 1
        else:
            link, image, turn = *_subject(call), 0
        read = self._reader(link)
        if read is None:
            raise Refused("Could not validate this link", "Is it public?")
        data = await asyncio.to_thread(read)
        if not data.startswith(_SIGNATURES):
            raise Refused("Invalid link", "There is no image.")
        prompts = await asyncio.to_thread(words.prompts_for, data, turn)
        return Described(prompts=prompts, link=link, image=image, turn=turn)

    def _reader(self, link: str) -> Callable[[], bytes] | None:
        try:
            return self._stage.image_at(link)
        except LookupError as error:
            raise Refused("Invalid link", "Could not validate this link.") from error


def _subject(call: Call) -> tuple[str, Json]:
    """The image to describe: its link, and the image of its embed."""
    if image := call.options.get("image"):
        sizes = {name: image.get(name) for name in ("width", "height")}
        return str(image["url"]), {"url": image["url"], **sizes}
    link = str(call.options.get("link") or "").strip()
    if not link.startswith(("http://", "https://")):
        raise Refused("Invalid link", "Give an image, or a link to one.")
    return link, {"url": link}


def _refusal(refused: Refused) -> Draft:
    return Draft(embeds=(forms.notice(refused.title, refused.description),))


def _once(read: Callable[[], bytes]) -> Callable[[], bytes]:
    """A reader with a cache: a scene is painted four times for a grid."""
    return lru_cache(maxsize=1)(read)
