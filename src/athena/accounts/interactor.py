"""Acts at Discord for one account: commands, buttons, modals, files."""

from collections.abc import Mapping, Sequence
from typing import Any

import structlog

from athena.accounts.connection import Connection
from athena.discord import interactions
from athena.discord.errors import InvalidForm
from athena.discord.interactions import InteractionContext
from athena.discord.uploads import File, upload
from athena.discord.wire import ModalCreate, Uploaded
from athena.midjourney import commands
from athena.store.repository import TaskRepository
from athena.tasks.model import Task
from athena.tasks.requests import Imagine, Upload

log = structlog.get_logger(__name__)

Attachments = Sequence[tuple[str, Uploaded]]
"""The options of a command that take a file, and the file at Discord."""


class Interactor:
    """Acts for one account. All methods raise `DiscordError`s."""

    def __init__(self, connection: Connection, repository: TaskRepository) -> None:
        self._connection = connection
        self._repository = repository

    def nonce(self) -> str:
        """An id for the next interaction."""
        return self._connection.nonces.nonce()

    async def act(
        self, interaction: commands.Interaction, nonce: str, attachments: Attachments = ()
    ) -> None:
        """Use a command or press a button under a nonce."""
        match interaction:
            case commands.UseCommand():
                await self.use(interaction, nonce, attachments)
            case commands.PressButton():
                await self.press(interaction, nonce)

    async def use(
        self,
        command: commands.UseCommand,
        nonce: str,
        attachments: Attachments = (),
        context: InteractionContext | None = None,
    ) -> None:
        """Use a command, in the account's channel or elsewhere; when Discord has a newer version of
        it, use that one."""
        catalogue = self._connection.catalogue

        async def body() -> Mapping[str, Any]:
            entry, part = await catalogue.find(command.application, command.name)
            where = context or await self._connection.interaction_context()
            return interactions.command(entry, command.options, where, nonce, attachments, part)

        try:
            await self._connection.rest.interact(await body())
        except InvalidForm as error:
            if not error.stale_command:
                raise
            log.info("commands.refreshed", command=command.name)
            await catalogue.refresh()
            await self._connection.rest.interact(await body())

    async def press(self, button: commands.PressButton, nonce: str) -> None:
        """Press a button of a message."""
        body = interactions.press(
            button.application,
            button.message,
            button.custom_id,
            await self._connection.interaction_context(),
            nonce,
            button.flags,
        )
        await self._connection.rest.interact(body)

    async def submit_modal(self, modal: ModalCreate, inputs: Mapping[str, str], nonce: str) -> None:
        """Submit a modal's text inputs."""
        body = interactions.submit_modal(
            modal, inputs, await self._connection.interaction_context(), nonce
        )
        await self._connection.rest.interact(body)

    async def submit_region(self, token: str, mask: bytes, prompt: str) -> None:
        """Submit the region editor's page."""
        await self._connection.submit_region(token, mask, prompt)

    # Files

    async def attachments(self, task: Task, interaction: commands.Interaction) -> Attachments:
        """Upload the files that a task's command takes."""
        if not isinstance(interaction, commands.UseCommand):
            return ()
        if interaction.uploaded:
            return [(name, _at_discord(number, at))
                    for number, (name, at) in enumerate(interaction.uploaded.items())]  # fmt: skip
        files = interaction.files
        if not files:
            return ()
        kept = [_file(each) for each in await self._repository.uploads(task.id)]
        uploaded = await self._upload([kept[number] for number in files.values()])
        return list(zip(files, uploaded, strict=True))

    async def image_links(self, task: Task) -> list[str]:
        """Post the images that came with a task's prompt; their links."""
        if not isinstance(task.request, Imagine) or not task.request.uploads:
            return []
        return await self.post_images(await self._repository.uploads(task.id))

    async def post_images(self, images: Sequence[Upload]) -> list[str]:
        """Upload images into the account's channel; their links."""
        uploaded = await self._upload([_file(each) for each in images])
        rest, channel = self._connection.rest, self._connection.channel_id
        message = await rest.post_message(channel, "", uploaded)
        return [attachment.url for attachment in message.attachments]

    async def upload(self, image: Upload) -> tuple[str, str]:
        """Upload an image without posting it: its name at Discord, and the URL of the upload."""
        rest, channel = self._connection.rest, self._connection.channel_id
        file = _file(image)
        announced = [{"id": "0", "filename": file.filename, "file_size": len(file.data)}]
        (slot,) = await rest.upload_slots(channel, announced)
        await rest.put_bytes(slot.upload_url, file.data, file.content_type)
        return slot.upload_filename, slot.upload_url

    async def post_uploaded(self, name: str) -> str:
        """Post an image that was uploaded before; its link."""
        rest, channel = self._connection.rest, self._connection.channel_id
        message = await rest.post_message(channel, "", [_at_discord(0, name)])
        return message.attachments[0].url

    async def _upload(self, files: Sequence[File]) -> Sequence[Uploaded]:
        return await upload(self._connection.rest, self._connection.channel_id, files)


def _file(upload: Upload) -> File:
    return File(filename=upload.filename, data=upload.data, content_type=upload.content_type)


def _at_discord(number: int, name: str) -> Uploaded:
    """A file that was uploaded before, by the name that Discord gave it."""
    return Uploaded(id=str(number), filename=name.rpartition("/")[2], uploaded_filename=name)
