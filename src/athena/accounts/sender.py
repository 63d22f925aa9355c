"""A task becomes an interaction, once.

The order is what keeps the promise. The nonce and the word "sending" are on disk before the POST.
An answer that says no, whatever kind of no, means that there is no interaction, so the task may be
sent again or fail with Discord's words. An answer that never comes leaves the word "sending"
standing: then only the bot's messages can tell, and nothing is sent twice on a guess.

Where a first step makes nothing yet (see `midjourney.commands`), the word is "preparing" and the
step may be taken again: a modal that does not open, or has grown stale, is opened anew.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import structlog

from athena.accounts.account import Account
from athena.accounts.connection import Connection
from athena.accounts.prompt_translation import PromptTranslation
from athena.clock import Clock
from athena.discord import interactions
from athena.discord.errors import (
    DiscordError,
    Forbidden,
    HumanCheckRequired,
    InvalidForm,
    OutcomeUnknown,
    RateLimited,
    ServerFault,
    Unauthorized,
    UnknownObject,
    Unreachable,
    VerificationRequired,
)
from athena.discord.interactions import InteractionContext
from athena.discord.uploads import File, upload
from athena.discord.wire import ModalCreate, Uploaded
from athena.midjourney import commands, modals, prompts
from athena.store.store import Store
from athena.tasks import lifecycle
from athena.tasks.bot_events import BotEvent
from athena.tasks.model import Millis, Sending, Task
from athena.tasks.requests import Imagine, ModalReply, Press, Upload

log = structlog.get_logger(__name__)

_PAUSE = 5_000
"""Milliseconds before a task is sent again after Discord was out of reach; doubles each time."""

_NO_MASK = "This button opens an editor, which needs a mask."

Step = Callable[[], Awaitable[str]]
"""Something done at Discord; returns the nonce that it used."""

Begin = Callable[[Task, str, Millis], Task]
Attachments = Sequence[tuple[str, Uploaded]]


class Superseded(Exception):
    """Something else has become of the task before it could be sent."""


class Stale(Superseded):
    """The task was begun anew while this step of it was held up: the newer try is the one."""


class Sender:
    """Sends the tasks of one account."""

    def __init__(
        self,
        account: Account,
        connection: Connection,
        store: Store,
        clock: Clock,
        translation: PromptTranslation,
    ) -> None:
        self._translation = translation
        self._account = account
        self._connection = connection
        self._store = store
        self._clock = clock
        self._going_on: set[tuple[str, str | None]] = set()
        """Tasks whose second step is being taken, and the nonce of their first: what tells of it
        may come twice."""

    async def send(self, task: Task) -> None:
        """Bring a task to Discord and store what came of it."""
        task = await self._in_english(task)

        async def first() -> str:
            if deed := commands.preparation(task):
                return await self._act(task, deed, lifecycle.begin_preparing)
            deed = commands.deed(task, await self._links(task))
            return await self._act(task, deed, lifecycle.begin_sending)

        await self._try(task, first)

    async def go_on(self, task: Task, seen: BotEvent) -> None:
        """Take the second step of a task whose first was answered by `seen`."""

        async def second() -> str:
            deed = commands.following(task, seen)
            pressed = deed.message if isinstance(deed, commands.PressButton) else None

            def begin(current: Task, nonce: str, now: Millis) -> Task:
                return lifecycle.begin_sending(current, nonce, now, pressed)

            return await self._act(task, deed, begin)

        if self._waits_with(task, task.ids.nonce) and task.sending is Sending.PREPARING:
            await self._once(task, second)

    async def answer(self, task: Task, modal: ModalCreate) -> None:
        """Submit the modal that a task's press opened, as its user filled it in or as it is."""
        reply = _reply(task)
        token = modals.page_token(modal)

        async def submit() -> str:
            if token:
                return await self._submit_page(task, token, reply)
            return await self._submit_inputs(task, modal, reply)

        nonce = None if modal.nonce is None else str(modal.nonce)
        if self._waits_with(task, nonce) and not (token and self._is_replied(task)):
            await self._once(task, submit)

    async def press(self, message: str, custom_id: str, application: str) -> None:
        """Press a button that makes no task, such as Cancel Job."""
        deed = commands.PressButton(application=application, message=message, custom_id=custom_id)
        nonce = self._connection.nonces.nonce()
        await self._connection.rest.interact(await self._pressing(deed, nonce))

    async def use(self, deed: commands.UseCommand, place: InteractionContext | None = None) -> None:
        """Use a command that makes no task, such as `/info`, here or in another place."""
        place = place or await self._connection.interaction_context()
        await self._use(deed, self._connection.nonces.nonce(), (), place)

    async def post_images(self, images: Sequence[Upload]) -> list[str]:
        """Upload images into the account's channel; their links."""
        files = [_file(each) for each in images]
        rest, channel = self._connection.rest, self._connection.channel_id
        message = await rest.post_message(channel, "", await upload(rest, channel, files))
        return [attachment.url for attachment in message.attachments]

    async def upload(self, image: Upload) -> tuple[str, str]:
        """Bring an image to Discord without posting it: its name there, and where it was put."""
        rest, channel = self._connection.rest, self._connection.channel_id
        file = _file(image)
        announced = [{"id": "0", "filename": file.filename, "file_size": len(file.data)}]
        (slot,) = await rest.upload_slots(channel, announced)
        await rest.put_bytes(slot.upload_url, file.data, file.content_type)
        return slot.upload_filename, slot.upload_url

    async def show(self, name: str) -> str:
        """Post an image that was uploaded before; its link."""
        rest, channel = self._connection.rest, self._connection.channel_id
        message = await rest.post_message(channel, "", [_at_discord(0, name)])
        return message.attachments[0].url

    # Steps

    def _waits_with(self, task: Task, nonce: str | None) -> bool:
        """Whether the interaction of this nonce is still the one that the task waits for."""
        current = self._account.current(task.id)
        return current is not None and not current.ended and current.ids.nonce == nonce

    def _is_replied(self, task: Task) -> bool:
        """Whether the page of a task was submitted already. It goes under the nonce of the press
        that opened it, so the nonce does not tell, and an event may come twice."""
        current = self._account.current(task.id) or task
        return _reply(current) is not None and current.sending is not Sending.PREPARING

    async def _once(self, task: Task, step: Step) -> None:
        first = task.id, task.ids.nonce
        if first in self._going_on:
            return
        self._going_on.add(first)
        try:
            await self._try(task, step)
        finally:
            self._going_on.discard(first)

    async def _try(self, task: Task, step: Step) -> None:
        try:
            nonce = await step()
        except Stale:
            log.info("task.step_outdated", task=task.id)
        except Superseded:
            log.info("task.superseded", task=task.id)
            self._account.forget_unwanted(task)
        except OutcomeUnknown as error:
            self._uncertain(task, error)
        except DiscordError as error:
            self._refused(task, error)
        except commands.CannotFollow as error:
            reason = str(error)
            self._advance(task, lambda now: lifecycle.fail(now, reason, self._clock.now()))
        else:
            self._advance(task, lambda now: self._sent(now, nonce))

    def _sent(self, current: Task, nonce: str) -> Task:
        """The task now that Discord took the interaction, unless it is one step further already."""
        if current.ids.nonce != nonce:
            return current
        return lifecycle.mark_sent(current, self._clock.now())

    async def _act(self, task: Task, deed: commands.Deed, begin: Begin) -> str:
        """Upload what the deed needs, write down that it is done, and do it; its nonce."""
        attachments = await self._attachments(task, deed)
        nonce = self._connection.nonces.nonce()
        await self._mark(task, begin, nonce)
        match deed:
            case commands.UseCommand():
                place = await self._connection.interaction_context()
                await self._use(deed, nonce, attachments, place)
            case commands.PressButton():
                await self._connection.rest.interact(await self._pressing(deed, nonce))
        return nonce

    async def _submit_inputs(self, task: Task, modal: ModalCreate, reply: ModalReply | None) -> str:
        nonce = self._connection.nonces.nonce()
        await self._mark(task, lifecycle.begin_sending, nonce)
        inputs = modals.filled(modal, reply, task.speed)
        context = await self._connection.interaction_context()
        body = interactions.submit_modal(modal, inputs, context, nonce)
        await self._connection.rest.interact(body)
        return nonce

    async def _submit_page(self, task: Task, token: str, reply: ModalReply | None) -> str:
        """The page's job answers the press itself, so the press's nonce stays."""
        if reply is None or not reply.mask:
            raise commands.CannotFollow(_NO_MASK)
        (mask,) = await self._store.uploads(task.id)
        nonce = task.ids.nonce or ""
        await self._mark(task, lifecycle.begin_sending, nonce)
        prompt = prompts.with_speed(reply.prompt or task.prompt or "", task.speed)
        await self._connection.submit_region(token, mask.data, prompt)
        return nonce

    async def _in_english(self, task: Task) -> Task:
        english = await self._translation.english(task)
        current = self._account.current(task.id)
        if english is task or current is not task:
            return task
        self._account.change(task, english)
        return english

    async def _mark(self, task: Task, begin: Begin, nonce: str) -> None:
        """Write down what is about to be done. A disk that takes nothing is waited for, and much
        can happen to the task meanwhile.

        Raises:
            Superseded: the task has ended, or is done otherwise.
        """
        current = self._account.current(task.id) or task
        if current.ids.nonce != task.ids.nonce:
            raise Stale
        if stored := self._account.change(current, begin(current, nonce, self._clock.now())):
            await stored
        if not self._waits_with(task, nonce):
            raise Superseded

    # Parts of interactions

    async def _links(self, task: Task) -> list[str]:
        if not isinstance(task.request, Imagine) or not task.request.uploads:
            return []
        return await self.post_images(await self._store.uploads(task.id))

    async def _attachments(self, task: Task, deed: commands.Deed) -> Attachments:
        if not isinstance(deed, commands.UseCommand):
            return ()
        if deed.uploaded:
            return [(name, _at_discord(number, at))
                    for number, (name, at) in enumerate(deed.uploaded.items())]  # fmt: skip
        files = deed.files
        if not files:
            return ()
        kept = [_file(each) for each in await self._store.uploads(task.id)]
        rest, channel = self._connection.rest, self._connection.channel_id
        uploaded = await upload(rest, channel, [kept[number] for number in files.values()])
        return list(zip(files, uploaded, strict=True))

    async def _use(
        self,
        deed: commands.UseCommand,
        nonce: str,
        attachments: Attachments,
        place: InteractionContext,
    ) -> None:
        """Use a command; when Discord says that it has a newer version, use that one."""
        catalogue = self._connection.catalogue

        async def body() -> Mapping[str, Any]:
            command, part = await catalogue.find(deed.application, deed.name)
            return interactions.command(command, deed.options, place, nonce, attachments, part)

        try:
            await self._connection.rest.interact(await body())
        except InvalidForm as error:
            if not error.stale_command:
                raise
            log.info("commands.refreshed", account=self._account.id, command=deed.name)
            await catalogue.refresh()
            await self._connection.rest.interact(await body())

    async def _pressing(self, deed: commands.PressButton, nonce: str) -> Mapping[str, Any]:
        return interactions.press(
            deed.application,
            deed.message,
            deed.custom_id,
            await self._connection.interaction_context(),
            nonce,
            deed.flags,
        )

    # What came of it

    def _uncertain(self, task: Task, error: OutcomeUnknown) -> None:
        """A lost answer to an interaction leaves the word "sending" standing. One to an upload
        before it does no harm: the task is still unsent, and its turn comes again."""
        log.warning("task.outcome_unknown", task=task.id)
        current = self._account.current(task.id) or task
        if current.sending is Sending.NOT_SENT:
            self._refused(task, Unreachable(str(error)))

    def _refused(self, task: Task, error: DiscordError) -> None:
        log.warning("task.refused", task=task.id, error=type(error).__name__)
        self._account.forget_unwanted(task)
        now = self._clock.now()
        may_try = task.tries < lifecycle.MAX_TRIES
        match error:
            case Unauthorized() | HumanCheckRequired() | VerificationRequired() | Forbidden():
                self._account.stop(str(error))
                self._advance(task, lambda current: lifecycle.put_back(current, now, _PAUSE))
            case RateLimited() | ServerFault() | Unreachable() if may_try:
                self._advance(task, lambda current: lifecycle.put_back(current, now, _PAUSE))
            case UnknownObject() if may_try and self._has_modal(task):
                self._advance(task, lambda current: lifecycle.put_back(current, now, 0))
            case _:
                self._advance(task, lambda current: lifecycle.fail(current, str(error), now))

    def _has_modal(self, task: Task) -> bool:
        """Whether it was a modal that had grown stale: it can be opened again."""
        current = self._account.current(task.id) or task
        return _reply(task) is not None and current.sending is Sending.SENDING

    def _advance(self, task: Task, step: Callable[[Task], Task]) -> None:
        """Apply a step to the task as it is by now; messages may have come before the answer."""
        current = self._account.current(task.id) or task
        self._account.change(current, step(current))


def _reply(task: Task) -> ModalReply | None:
    """What is to go into the modal that the task's press opens."""
    return task.request.reply if isinstance(task.request, Press) else None


def _file(upload: Upload) -> File:
    return File(filename=upload.filename, data=upload.data, content_type=upload.content_type)


def _at_discord(number: int, name: str) -> Uploaded:
    """A file that was uploaded before, by the name that Discord gave it."""
    return Uploaded(id=str(number), filename=name.rpartition("/")[2], uploaded_filename=name)
