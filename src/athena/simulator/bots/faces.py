"""InsightFaceSwap: keeps faces by name and puts them into images.

Source: contracts, midjourney-bot, section 1.
"""

import asyncio
import hashlib
import re
from collections.abc import Callable, Sequence
from functools import partial
from random import Random

from athena.simulator import images
from athena.simulator.bots import forms
from athena.simulator.bots.encoding import Label
from athena.simulator.bots.index import INSIGHT_FACE, commands_of
from athena.simulator.bots.jobs import new_id
from athena.simulator.scenes import Faced, Given
from athena.simulator.stage import Call, Draft, Drawing, Json, Stage

_SECONDS = 4.0
_NAME = re.compile(r"[0-9A-Za-z_]{1,10}")
_MOST_PIXELS = 2048

Read = Callable[[], bytes]
"""Reads an uploaded image."""


class InsightFace:
    """A `Player`. `speed` divides the duration of a swap."""

    application_id = INSIGHT_FACE
    username = "InsightFaceSwap"

    def __init__(self, stage: Stage, *, speed: float = 1.0, seed: int = 7) -> None:
        self._stage = stage
        self._seconds = _SECONDS / speed
        self._random = Random(f"{seed}/faces")
        self._faces: dict[tuple[str, str], Read] = {}
        self._swaps: list[Json] = []
        self._working: set[asyncio.Task[None]] = set()

    def commands(self) -> tuple[Json, ...]:
        return commands_of(self.application_id)

    def called(self, call: Call) -> None:
        work = asyncio.create_task(self._answer(call))
        self._working.add(work)
        work.add_done_callback(self._working.discard)

    def reacted(self, channel_id: str, message_id: str, user_id: str, emoji: str) -> None:
        """Ignored by this bot."""

    def page_submitted(self, token: str, prompt: str, mask: bytes) -> bool:
        return False

    def request_notice(self, user_id: str | None, text: str, times: int) -> None:
        raise ValueError("this bot has no notices to show")

    def state(self) -> Json:
        return {"made": len(self._swaps), "jobs": list(self._swaps), "faces": len(self._faces)}

    async def close(self) -> None:
        for work in self._working:
            work.cancel()
        await asyncio.gather(*self._working, return_exceptions=True)

    async def _answer(self, call: Call) -> None:
        name = str(call.options.get("idname") or "")
        message = self._stage.respond(call, Draft(loading=True))
        await self._stage.clock.sleep(self._seconds)
        draft = self._saved(call, name) if call.name == "saveid" else self._swapped(call, name)
        self._stage.edit(call.channel_id, message["id"], draft)

    def _saved(self, call: Call, name: str) -> Draft:
        if not _NAME.fullmatch(name):
            return _refused("idname must have at most 10 letters and digits.")
        self._faces[call.user_id, name] = self._image(call)
        return Draft(content=f"idname {name} created. You can use it by /swapid now.")

    def _swapped(self, call: Call, name: str) -> Draft:
        face = self._faces.get((call.user_id, name))
        if face is None:
            return _refused(f"idname {name} is not known.")
        made = new_id(self._random)
        target = self._image(call)
        self._swaps.append(_summary(call, made, [face(), target()]))
        return Draft(drawings=(self._drawing(call, face, target, made),))

    def _drawing(self, call: Call, face: Read, target: Read, made: str) -> Drawing:
        image = call.options["image"]
        scene = Faced(target=Given(target), source=Given(face))
        size = (
            min(int(image.get("width") or 1024), _MOST_PIXELS),
            min(int(image.get("height") or 1024), _MOST_PIXELS),
        )
        label = Label(job=made, prompt="", tile=1, parent="", author=call.username)
        return images.single(scene, size, label, f"ins_{made}.png")

    def _image(self, call: Call) -> Read:
        url = str(call.options["image"]["url"])
        return self._stage.image_at(url) or partial(bytes, 0)


def _summary(call: Call, made: str, images: Sequence[bytes]) -> Json:
    """Like the summary of a Midjourney job, with the SHA-256 digests of the face and the target."""
    return {
        "id": made, "kind": "swap", "user": call.user_id, "prompt": "", "parent": None,
        "index": None, "interaction": call.id, "nonce": call.nonce, "end": "done",
        "images": [hashlib.sha256(image).hexdigest() for image in images],
    }  # fmt: skip


def _refused(why: str) -> Draft:
    return Draft(embeds=(forms.notice("Invalid parameter", why),))
