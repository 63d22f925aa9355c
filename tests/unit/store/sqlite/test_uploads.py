"""The folder of uploads: what is written lasts, what is removed is gone."""

import os
from pathlib import Path

import pytest

from athena.store.sqlite.uploads import UploadFolder
from tests.contract.store.making import upload

ONE, TWO = upload("one.png", b"one"), upload("two.png", b"two")


@pytest.fixture
def folder(tmp_path: Path) -> UploadFolder:
    return UploadFolder(tmp_path)


def test_uploads_are_read_by_their_position(folder: UploadFolder, tmp_path: Path) -> None:
    folder.write("7", [ONE, TWO])
    assert [folder.read("7", position) for position in (0, 1)] == [b"one", b"two"]
    assert sorted(each.name for each in (tmp_path / "uploads" / "7").iterdir()) == ["0", "1"]


def test_what_is_there_is_replaced(folder: UploadFolder) -> None:
    folder.write("7", [ONE])
    folder.write("7", [TWO])
    assert folder.read("7", 0) == b"two"


def test_a_removed_task_has_none_and_one_without_any_is_passed_over(folder: UploadFolder) -> None:
    folder.write("7", [ONE])
    folder.write("8", [ONE])
    folder.remove(["404", "7"])
    assert folder.tasks() == {"8"}
    with pytest.raises(OSError, match="7"):
        folder.read("7", 0)


def test_a_new_folder_has_no_tasks(folder: UploadFolder) -> None:
    assert folder.tasks() == set()


def test_a_file_and_the_entries_that_lead_to_it_are_synced_before_it_counts(
    folder: UploadFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[tuple[str, int]] = []

    def fsync(handle: int) -> None:
        path = Path(f"/proc/self/fd/{handle}").readlink()
        synced.append((path.relative_to(tmp_path).as_posix(), path.stat().st_size))

    monkeypatch.setattr(os, "fsync", fsync)
    folder.write("7", [ONE])
    assert synced[0] == ("uploads/7/0.part", 3)
    assert [name for name, _ in synced[1:]] == ["uploads/7", "uploads", "."]


def test_no_handle_is_left_open(folder: UploadFolder) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    folder.write("7", [ONE, TWO])
    assert len(list(Path("/proc/self/fd").iterdir())) == before
