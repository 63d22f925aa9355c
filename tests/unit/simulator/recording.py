"""A stage that records what a bot does."""

import asyncio
from collections.abc import Callable
from itertools import count
from random import Random
from typing import Any

from athena.clock import Clock, TurnableClock
from athena.simulator.stage import Call, Draft, Json

USER = "42"
CHANNEL = "7"
BOT = "936929561302675456"


class Recorder:
    """A `Stage`. `acts` holds (what, message or call id, content or embed title)."""

    def __init__(self) -> None:
        self.turnable = TurnableClock()
        self.clock: Clock = self.turnable
        self.random = Random(1)
        self.acts: list[tuple[str, str, str]] = []
        self.drafts: list[Draft] = []
        self.messages: dict[str, Json] = {}
        self._ids = count(100)

    def succeed(self, call: Call) -> None:
        self.acts.append(("succeed", call.id, ""))

    def fail(self, call: Call, reason_code: int) -> None:
        self.acts.append(("fail", call.id, str(reason_code)))

    def respond(self, call: Call, draft: Draft) -> Json:
        return self._new("respond", draft, call, call.message_id)

    def open_modal(self, call: Call, custom_id: str, title: str, inputs: tuple[Json, ...]) -> None:
        self.acts.append(("modal", call.id, custom_id))

    def post(
        self, application_id: str, channel_id: str, draft: Draft, *, call: Call | None = None,
        reply_to: str | None = None,
    ) -> Json:  # fmt: skip
        return self._new("post", draft, call, reply_to)

    def edit(self, channel_id: str, message_id: str, draft: Draft) -> None:
        self._record("edit", message_id, draft)
        self.messages[message_id]["content"] = draft.content

    def delete(self, channel_id: str, message_id: str) -> None:
        self.acts.append(("delete", message_id, ""))
        del self.messages[message_id]

    def message(self, channel_id: str, message_id: str) -> Json | None:
        return self.messages.get(message_id)

    def direct_channel(self, application_id: str, user_id: str) -> str:
        return "dm"

    def open_page(self, call: Call, custom_id: str, title: str, path: str) -> None:
        self.acts.append(("page", call.id, custom_id))

    def image_at(self, url: str) -> Callable[[], bytes] | None:
        return None

    def whats(self) -> list[str]:
        return [what for what, _, _ in self.acts]

    def saying(self, part: str) -> list[Draft]:
        """The drafts whose content or embed title holds `part`."""
        return [draft for draft in self.drafts if part in _text(draft)]

    def _new(self, what: str, draft: Draft, call: Call | None, reply: str | None) -> Json:
        message: Json = {
            "id": str(next(self._ids)),
            "content": draft.content,
            "call": call.id if call else None,
            "reply": reply,
        }
        self.messages[message["id"]] = message
        self._record(what, message["id"], draft)
        return message

    def _record(self, what: str, message_id: str, draft: Draft) -> None:
        self.acts.append((what, message_id, _text(draft)))
        self.drafts.append(draft)


class BotSession:
    """Calls to a bot, with a clock to turn."""

    def __init__(self, stage: Recorder, bot: Any) -> None:
        self.stage = stage
        self.bot = bot
        self._calls = count(1)

    def imagine(self, prompt: str = "a cat", user: str = USER) -> Call:
        return self.call(2, user, name="imagine", options={"prompt": prompt})

    def press(self, custom_id: str, user: str = USER) -> Call:
        return self.call(3, user, custom_id=custom_id, message_id="pressed")

    def call(self, kind: int, user: str = USER, **more: Any) -> Call:
        number = next(self._calls)
        call = Call(
            id=f"i{number}",
            kind=kind,
            application_id=BOT,
            guild_id="1",
            channel_id=CHANNEL,
            user_id=user,
            username="ada",
            session_id="s",
            nonce=f"n{number}",
            **more,
        )
        self.bot.called(call)
        return call

    async def turn(self, seconds: float) -> None:
        """Let `seconds` pass, waking all tasks in order."""
        end = self.stage.clock.monotonic() + seconds
        while True:
            await settle()
            pause = self.stage.turnable.next_waking()
            left = end - self.stage.clock.monotonic()
            if pause is None or pause > left:
                self.stage.turnable.turn(left)
                return
            self.stage.turnable.turn(pause)

    async def finish(self) -> None:
        """Turn until no task waits."""
        await settle()
        while (pause := self.stage.turnable.next_waking()) is not None:
            self.stage.turnable.turn(pause)
            await settle()

    def jobs(self) -> list[Json]:
        jobs: list[Json] = self.bot.state()["jobs"]
        return jobs


async def settle() -> None:
    """Run every task to its next pause."""
    for _ in range(40):
        await asyncio.sleep(0)


def _text(draft: Draft) -> str:
    return draft.content or (str(draft.embeds[0]["title"]) if draft.embeds else "")
