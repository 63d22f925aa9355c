"""The order of writes: uploads before the commit that names them, and a task's writes in a row.

Upload files are written on a thread of their own, so that no other write waits for them. Until then
later writes of the same task are held back here: a task that was cancelled while its image is
still being written is added first and cancelled second.
"""

import asyncio
from collections import deque
from collections.abc import Sequence

from msgspec import Struct

from athena.errors import StoreError, StoreUnavailable
from athena.store.sqlite.uploads import UploadFolder
from athena.store.sqlite.writer import StoreWriter, Write
from athena.tasks.requests import Upload


class _Held(Struct, frozen=True):
    write: Write
    uploads: Sequence[Upload]


class Pipeline:
    """The way from the repository to its writer. For one event loop."""

    def __init__(self, writer: StoreWriter, folder: UploadFolder) -> None:
        self._writer = writer
        self._folder = folder
        self._held: dict[str, deque[_Held]] = {}
        self._working: set[asyncio.Task[None]] = set()
        self._closed = False

    @property
    def write_error(self) -> str:
        return self._writer.write_error

    def write(self, write: Write, task_id: str = "", uploads: Sequence[Upload] = ()) -> None:
        """Accept a write, with the uploads that must be on disk before it.

        Raises:
            StoreUnavailable: the store is closed.
        """
        if self._closed:
            raise StoreUnavailable("the store is closed")
        if task_id in self._held:
            self._held[task_id].append(_Held(write, uploads))
        elif uploads:
            self._held[task_id] = deque([_Held(write, uploads)])
            self._spawn(task_id)
        else:
            self._writer.write(write)

    async def flushed(self) -> None:
        """Wait until everything that was held back has been passed to the writer."""
        while self._working:
            await asyncio.wait(self._working)

    async def close(self) -> None:
        """Write what waits, then stop."""
        self._closed = True
        await self.flushed()
        await self._writer.close()

    def _spawn(self, task_id: str) -> None:
        work = asyncio.create_task(self._work(task_id), name=f"store-uploads-{task_id}")
        self._working.add(work)
        work.add_done_callback(self._working.discard)

    async def _work(self, task_id: str) -> None:
        held = self._held[task_id]
        while held:
            await self._pass_on(task_id, held[0])
            held.popleft()
        del self._held[task_id]

    async def _pass_on(self, task_id: str, held: _Held) -> None:
        error: StoreError | None = None
        try:
            if held.uploads:
                loop = asyncio.get_running_loop()
                await loop.run_in_executor(None, self._folder.write, task_id, held.uploads)
            self._writer.write(held.write)
        except StoreError as refused:
            error = refused
        except OSError as failed:
            error = StoreUnavailable(f"the uploads could not be written: {failed.strerror}")
        except Exception as failed:
            error = StoreUnavailable(f"the uploads could not be written: {type(failed).__name__}")
        if error:
            held.write.on_done(error)
