"""Encryption of secrets at rest."""

import stat
from pathlib import Path

import pytest

from athena.errors import AthenaError
from athena.store.encryption import DecryptionFailed, Encryption
from athena.store.sealing import Seal


def test_a_secret_comes_back_and_does_not_stand_there_plain(tmp_path: Path) -> None:
    encrypted = Encryption(tmp_path).encrypt("a secret")
    assert "secret" not in encrypted
    assert Encryption(tmp_path).decrypt(encrypted) == "a secret"
    assert stat.S_IMODE((tmp_path / "athena.key").stat().st_mode) == 0o600


def test_another_folders_key_does_not_fit(tmp_path: Path) -> None:
    encrypted = Encryption(tmp_path / "one").encrypt("a secret")
    with pytest.raises(DecryptionFailed):
        Encryption(tmp_path / "two").decrypt(encrypted)
    assert issubclass(DecryptionFailed, AthenaError)


def test_signatures(tmp_path: Path) -> None:
    encryption = Encryption(tmp_path)
    signature = encryption.sign("a link")
    assert encryption.is_signed("a link", signature)
    assert not encryption.is_signed("another", signature)


def test_what_was_encrypted_before_is_read(tmp_path: Path) -> None:
    """The names changed; the key, the form and the signatures did not."""
    assert Encryption(tmp_path).decrypt(Seal(tmp_path).close("old")) == "old"
    assert Encryption(tmp_path).sign("link") == Seal(tmp_path).sign("link")
