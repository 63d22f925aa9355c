"""Simulated users: they submit, press buttons, cancel, fill in modals or abandon them.

They follow the documentation: every request carries an `Idempotency-Key` and is repeated until
there is a response. They have no other means of recovery.
"""

import asyncio
import re
from collections import defaultdict
from collections.abc import Coroutine, Sequence
from random import Random
from typing import Any

import aiohttp
from msgspec import Struct

from athena.clock import Clock
from chaos import evidence
from chaos.ledger import Asked, Glimpse, Kind, Ledger, percent
from chaos.prompts import LATER, ODD, PromptSource, digest, inline

Json = dict[str, Any]

_ENDS = ("SUCCESS", "FAILURE", "CANCEL")
_PRESSABLE = re.compile(
    r"MJ::(?:JOB::)?(?P<kind>upsample|variation|reroll|low_variation|high_variation|pan_|animate_"
    r"|video_virtual|Outpaint|CustomZoom|Inpaint)"
)
"""Buttons that users press, by kind: each kind that an image has is as likely as the others."""

_TOO_FULL = (23, 15)
_TIMEOUT = aiohttp.ClientTimeout(total=40)


class Habits(Struct, frozen=True, kw_only=True):
    """The behaviour of users: probabilities for each request, and seconds."""

    common: float = 0.3
    """Use the same prompt as other users."""
    odd: float = 0.06
    """Use a prompt that Midjourney rejects."""
    odd_ways: tuple[str, ...] = ODD + LATER
    words: float = 0.1
    blend: float = 0.04
    swap: float = 0.04
    trigger: float = 0.25
    """Use the trigger API."""
    press: float = 0.6
    """Press a button of a finished image."""
    extend: float = 0.5
    """Extend a video, if there is one, instead of pressing a button."""
    look: float = 0.01
    """Fetch the image's file."""
    relayed: float = 0.0
    """Of those who fetch files: fetch it from the server, not from Discord."""
    cancel: float = 0.08
    delete: float = 0.5
    """Of those who cancel: delete the task."""
    again: float = 0.5
    """Of those who delete: ask for the same at once."""
    restart: float = 0.1
    """Before a cancel or a modal is sent, the task's account begins a new session."""
    deaf: float = 0.05
    """Name a webhook receiver that never answers."""
    abandon: float = 0.2
    """Of those who have a modal to fill in."""
    polls: tuple[float, float] = (2.0, 20.0)
    idle: tuple[float, float] = (0.0, 30.0)
    full: tuple[float, float] = (10.0, 60.0)
    """Before a retry when the queue is full."""


class User:
    """One user; `live` makes a number of requests."""

    def __init__(
        self,
        name: str,
        url: str,
        webhooks: str,
        http: aiohttp.ClientSession,
        clock: Clock,
        ledger: Ledger,
        seed: int,
        habits: Habits,
        deaf: str = "",
    ) -> None:
        """`deaf` is the webhook receiver that never answers."""
        self.name = name
        self._url = url
        self._webhooks = webhooks
        self._http = http
        self._clock = clock
        self._ledger = ledger
        self._random = Random(f"{seed}/{name}")
        self._prompts = PromptSource(name, self._random)
        self._habits = habits
        self._deaf = deaf
        self._left = 0
        self._keys = 0
        self._beside: dict[asyncio.Task[None], None] = {}

    async def live(self, requests: int) -> None:
        self._left = requests
        while self._left > 0:
            await self._scenario()
            await self._clock.sleep(self._random.uniform(*self._habits.idle))
        while self._beside:
            await asyncio.wait(list(self._beside))

    # Scenarios

    async def _scenario(self) -> None:
        dice, habits = self._random, self._habits
        if dice.random() < habits.words:
            await self._ask_for_words()
        elif dice.random() < habits.blend:
            await self._blend()
        elif dice.random() < habits.swap:
            await self._swap()
        elif dice.random() < habits.trigger:
            await self._trigger()
        else:
            await self._imagine()

    async def _imagine(self) -> None:
        habits = self._habits
        prompt = self._prompts.prompt(common=habits.common, odd=habits.odd, ways=habits.odd_ways)
        asked = Asked(kind=Kind.IMAGINE, prompt=prompt)
        task = await self._submit("/mj/submit/imagine", {"prompt": prompt}, asked)
        while task and self._left > 0 and self._random.random() < habits.press:
            videos = _videos_of(task)
            extends = videos > 0 and self._random.random() < habits.extend
            task = await (self._extend(task, videos) if extends else self._press(task))

    async def _blend(self) -> None:
        images = [inline(self._prompts.image()) for _ in range(2)]
        await self._submit("/mj/submit/blend", {"base64Array": images}, Asked(kind=Kind.BLEND))

    async def _swap(self) -> None:
        source, target = self._prompts.image(), self._prompts.image()
        asked = Asked(kind=Kind.SWAP, images=(digest(source), digest(target)))
        body = {"sourceBase64": inline(source), "targetBase64": inline(target)}
        await self._submit("/mj/insight-face/swap", body, asked)

    async def _ask_for_words(self) -> None:
        asked = Asked(kind=Kind.WORDS)
        if self._random.random() < 0.5:
            body = {"base64": inline(self._prompts.image())}
            await self._submit("/mj/submit/describe", body, asked)
            return
        asked.prompt = self._prompts.unique()
        await self._submit("/mj/submit/shorten", {"prompt": asked.prompt}, asked)

    async def _press(self, task: Json) -> Json | None:
        able: defaultdict[str, list[str]] = defaultdict(list)
        for button in task["buttons"]:
            if kind := _PRESSABLE.match(button["customId"]):
                able[kind["kind"]].append(button["customId"])
        if not able:
            return None
        custom_id = self._random.choice(able[self._random.choice(list(able))])
        asked = Asked(kind=Kind.PRESS, parent=task["properties"]["messageHash"], button=custom_id)
        body = {"taskId": task["id"], "customId": custom_id}
        return await self._submit("/mj/submit/action", body, asked)

    async def _extend(self, task: Json, videos: int) -> Json | None:
        """Extend one of a task's videos that is still in its grid."""
        index = self._random.randrange(videos)
        asked = Asked(kind=Kind.EXTEND, parent=task["properties"]["messageHash"], index=index + 1)
        motion = self._random.choice(("low", "high"))
        body = {"action": "extend", "taskId": task["id"], "index": index, "motion": motion}
        return await self._submit("/mj/submit/video", body, asked)

    async def _submit(self, path: str, body: Json, asked: Asked) -> Json | None:
        """Submit a request and follow its task to the end; None if it failed."""
        self._left -= 1
        asked.webhook = self.name
        webhook = f"{self._webhooks}/{self.name}"
        if self._deaf and self._random.random() < self._habits.deaf:
            asked.webhook, webhook = "", self._deaf
        answer = await self._until_taken(path, {**body, "notifyHook": webhook})
        if answer["code"] not in (1, 21, 22):
            self._ledger.refused[str(answer.get("description"))] += 1
            return None
        asked.task = answer["result"]
        self._ledger.accept(asked)
        if answer["code"] == 21 and not await self._fill_in(asked):
            return None
        self._perhaps_cancel(asked)
        task = await self._follow(asked.task)
        if task is None or task["status"] != "SUCCESS":
            return None
        if task["imageUrl"] and self._random.random() < self._habits.look:
            await self._look(task)
        return task

    async def _look(self, task: Json) -> None:
        """Fetch the image file and record the job that it names."""
        relayed = self._random.random() < self._habits.relayed
        path = f"{'/mj-relay/mj' if relayed else '/mj'}/task/{task['id']}/fetch"
        while True:
            link = (await self._call("GET", path)).get("imageUrl")
            if not link:
                return  # it was deleted meanwhile
            if file := await self._file(link):
                self._ledger.files[task["id"]] = evidence.job_in(file)
                return
            await self._clock.sleep(self._random.uniform(*self._habits.polls))

    async def _fill_in(self, asked: Asked) -> bool:
        if self._random.random() < self._habits.abandon:
            asked.abandoned = True
            return False
        body = {"taskId": asked.task, "prompt": self._prompts.unique()}
        if "Inpaint" in asked.button:
            body["maskBase64"] = inline(self._prompts.mask())
        else:
            body["prompt"] += " --zoom 1.8"
        asked.prompt = body["prompt"]
        await self._clock.sleep(self._random.uniform(*self._habits.idle))
        await self._perhaps_restart(asked.task)
        answer = await self._until_taken("/mj/submit/modal", body)
        asked.abandoned = answer["code"] not in (1, 22)
        return not asked.abandoned

    def _perhaps_cancel(self, asked: Asked) -> None:
        if self._random.random() >= self._habits.cancel:
            return

        async def cancel() -> None:
            await self._clock.sleep(self._random.expovariate(1 / self._random.choice((2, 20))))
            asked.cancelled = True
            await self._perhaps_restart(asked.task)
            await self._call("POST", f"/mj/task/{asked.task}/cancel", {})
            await self._perhaps_delete(asked)

        self._do_beside(cancel())

    async def _perhaps_delete(self, asked: Asked) -> None:
        if self._random.random() >= self._habits.delete:
            return
        asked.deleted = True
        await self._call("DELETE", f"/mj/task/{asked.task}")
        if asked.kind is Kind.IMAGINE and self._random.random() < self._habits.again:
            again = Asked(kind=Kind.IMAGINE, prompt=asked.prompt)
            await self._submit("/mj/submit/imagine", {"prompt": asked.prompt}, again)

    async def _perhaps_restart(self, task_id: str) -> None:
        """Let the task's account begin a new session, and go on in the middle of that."""
        if self._random.random() >= self._habits.restart:
            return
        task = await self._call("GET", f"/mj/task/{task_id}/fetch")
        if account := task.get("properties", {}).get("discordInstanceId"):
            self._do_beside(self._reconnect(account))
            await self._clock.sleep(self._random.uniform(0, 0.5))

    async def _reconnect(self, account: str) -> None:
        await self._call("POST", f"/mj/account/{account}/reconnect")

    def _do_beside(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._beside[task] = None
        task.add_done_callback(lambda done: self._beside.pop(done, None))

    async def _follow(self, task_id: str) -> Json | None:
        """The task when it has ended; None when it was deleted."""
        while True:
            waits = self._random.random() < 0.5
            query = "?wait=30" if waits else ""
            task = await self._call("GET", f"/mj/task/{task_id}/fetch{query}")
            if "status" not in task:
                return None
            glimpse = Glimpse(task["status"], percent(task["progress"]))
            self._ledger.see(task_id, glimpse)
            if task["status"] in _ENDS:
                return task
            if not waits:
                await self._clock.sleep(self._random.uniform(*self._habits.polls))

    # Trigger API

    async def _trigger(self) -> None:
        self._left -= 1
        prompt = self._prompts.unique()
        answer = await self._until_triggered("/imagine", {"prompt": prompt})
        if answer is None:
            return
        trigger = answer["trigger_id"]
        asked = Asked(kind=Kind.IMAGINE, prompt=prompt, trigger=trigger, webhook="all")
        self._ledger.accept(asked)
        seen = await self._triggered(trigger)
        if seen["status"] != "SUCCESS" or self._random.random() >= self._habits.press:
            return
        self._left -= 1
        index = self._random.randint(1, 4)
        names = {"msg_id": seen["msg_id"], "msg_hash": seen["msg_hash"], "trigger_id": trigger}
        if await self._until_triggered("/upscale", {**names, "index": index}):
            button = f"MJ::JOB::upsample::{index}::{seen['msg_hash']}"
            hash_ = str(seen["msg_hash"])
            pressed = Asked(kind=Kind.PRESS, trigger=trigger, parent=hash_, button=button)
            pressed.webhook = "all"
            self._ledger.accept(pressed)

    async def _triggered(self, trigger: str) -> Json:
        while True:
            seen = await self._call("POST", "/v1/api/trigger/getmessage", {"trigger_id": trigger})
            if seen["status"] in _ENDS:
                return seen
            await self._clock.sleep(self._random.uniform(*self._habits.polls))

    async def _until_triggered(self, path: str, body: Json) -> Json | None:
        for _ in range(40):
            answer = await self._call("POST", f"/v1/api/trigger{path}", body, key=self._key())
            if answer.get("code") not in _TOO_FULL:
                break
            await self._clock.sleep(self._random.uniform(*self._habits.full))
        if "trigger_id" in answer:
            return answer
        self._ledger.refused[str(answer.get("message"))] += 1
        return None

    # Calls

    async def _until_taken(self, path: str, body: Json) -> Json:
        """Repeat a submit while the server says that it is full."""
        for _ in range(40):
            answer = await self._call("POST", path, body, key=self._key())
            if answer["code"] not in _TOO_FULL:
                break
            await self._clock.sleep(self._random.uniform(*self._habits.full))
        return answer

    async def _call(self, method: str, path: str, body: Json | None = None, key: str = "") -> Json:
        """Repeat a call until there is a response."""
        headers = {"Idempotency-Key": key} if key else {}
        while True:
            try:
                async with self._http.request(
                    method, self._url + path, json=body, headers=headers, timeout=_TIMEOUT
                ) as answer:
                    said: Json = await answer.json()
                    if answer.status < 500 and not _is_trouble(said):
                        return said
            except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
                pass
            await self._clock.sleep(self._random.uniform(0.5, 4))

    def _key(self) -> str:
        self._keys += 1
        return f"{self.name}-{self._keys}"

    async def _file(self, link: str) -> bytes:
        """The bytes of a link; empty if it cannot be fetched."""
        try:
            async with self._http.get(link, timeout=_TIMEOUT) as answer:
                return await answer.read() if answer.status == 200 else b""
        except (aiohttp.ClientError, OSError, TimeoutError):
            return b""


def _videos_of(task: Json) -> int:
    """The number of videos that can be selected from a task's grid."""
    names = (button["customId"] for button in task["buttons"])
    return sum(name.startswith("MJ::JOB::video_virtual_upscale") for name in names)


def _is_trouble(said: Json | Sequence[Any]) -> bool:
    """Whether to retry later: the disk cannot be written, or no account is available."""
    if not isinstance(said, dict):
        return False
    text = str(said.get("description") or said.get("message") or "")
    return said.get("code") in (9, 11, 12) and not said.get("result") and bool(text)
