"""Uploads files to Discord in two steps: announce them, then send the bytes to the given URL.

Source: contracts, discord-wire, section 3.
"""

from collections.abc import Sequence

from msgspec import Struct

from athena.discord.rest import Rest
from athena.discord.wire import Uploaded


class File(Struct, frozen=True, kw_only=True):
    filename: str
    data: bytes
    content_type: str


async def upload(rest: Rest, channel_id: str, files: Sequence[File]) -> tuple[Uploaded, ...]:
    """Upload files for one message or command of a channel, in order.

    Raises:
        DiscordError: a file could not be uploaded; none may be used.
    """
    announced = [
        {"id": str(number), "filename": file.filename, "file_size": len(file.data)}
        for number, file in enumerate(files)
    ]
    slots = {str(slot.id): slot for slot in await rest.upload_slots(channel_id, announced)}
    uploaded = []
    for number, file in enumerate(files):
        slot = slots[str(number)]
        await rest.put_bytes(slot.upload_url, file.data, file.content_type)
        uploaded.append(
            Uploaded(id=str(number), filename=file.filename, uploaded_filename=slot.upload_filename)
        )
    return tuple(uploaded)
