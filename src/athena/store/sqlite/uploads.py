"""What users upload with a task, up to 50 MB: files in the data folder, outside the database.

In the database such bytes would be written twice, the second time while all writers wait. A file is
on disk, with its folder's entry, before the commit that names it; so a row never names a file that
is not there. Files that no unfinished task has (the process ended in between) are deleted at the
start.
"""

import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from athena.tasks.requests import Upload


class UploadFolder:
    """The folder `uploads`: one folder a task, one file an upload, named by its position. All
    methods block."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "uploads"

    def write(self, task_id: str, uploads: Sequence[Upload]) -> None:
        """Write a task's uploads durably. Raises OSError."""
        folder = self._folder / task_id
        folder.mkdir(parents=True, exist_ok=True)
        for position, upload in enumerate(uploads):
            part = folder / f"{position}.part"
            with part.open("wb") as file:
                file.write(upload.data)
                file.flush()
                os.fsync(file.fileno())
            part.replace(folder / str(position))
        for each in (folder, self._folder, self._folder.parent):
            _sync(each)

    def read(self, task_id: str, position: int) -> bytes:
        """The bytes of an upload. Raises OSError."""
        return (self._folder / task_id / str(position)).read_bytes()

    def remove(self, task_ids: Iterable[str]) -> None:
        """Delete the uploads of tasks; tasks without uploads are ignored."""
        for task_id in task_ids:
            shutil.rmtree(self._folder / task_id, ignore_errors=True)

    def tasks(self) -> set[str]:
        """The tasks that have files here."""
        if not self._folder.exists():
            return set()
        return {each.name for each in self._folder.iterdir()}


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
