"""Where relayed images are kept: an object store, with the images of a task under its id.

What is kept here can be made again. So a store that fails costs time and never an image: it is
logged, and the caller goes on without it. Only deletion must not fail in silence.
"""

from contextlib import suppress

import obstore
import structlog
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import ObjectStore

from athena.bounded import BoundedDict
from athena.delivery.served import ImageNotDeleted

log = structlog.get_logger(__name__)

_REMEMBERED = 10_000
"""Deleted tasks whose late images are not kept any more."""


class ImageStore:
    """Images by task and name."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._forgotten: BoundedDict[str, None] = BoundedDict(_REMEMBERED)

    async def read(self, task_id: str, name: str) -> bytes | None:
        """What is kept under a name; None when there is nothing, or it cannot be read."""
        try:
            kept = await obstore.get_async(self._store, f"{task_id}/{name}")
            return bytes(await kept.bytes_async())
        except (NotFoundError, FileNotFoundError):
            return None
        except (BaseError, OSError) as error:
            log.warning("image.not_read", task=task_id, name=name, error=str(error))
            return None

    async def keep(self, task_id: str, name: str, data: bytes) -> None:
        """Keep an image, if the store takes it and its task was not deleted."""
        if task_id in self._forgotten:
            return
        try:
            await obstore.put_async(self._store, f"{task_id}/{name}", data)
        except (BaseError, OSError) as error:
            log.warning("image.not_saved", task=task_id, name=name, error=str(error))
        if task_id in self._forgotten:  # deleted while it was written
            with suppress(ImageNotDeleted):
                await self._delete(task_id)

    async def forget(self, task_id: str) -> None:
        """Delete everything that is kept of a task. What is still being made of it is not kept.

        Raises:
            ImageNotDeleted: the store failed; call it again later.
        """
        self._forgotten[task_id] = None
        await self._delete(task_id)

    async def _delete(self, task_id: str) -> None:
        try:
            async for found in obstore.list(self._store, prefix=f"{task_id}/"):
                await obstore.delete_async(self._store, [each["path"] for each in found])
        except (NotFoundError, FileNotFoundError):
            pass  # two deletions met
        except (BaseError, OSError) as error:
            log.error("image.not_deleted", task=task_id, error=str(error))
            raise ImageNotDeleted(f"images of task {task_id}: {error}") from error
