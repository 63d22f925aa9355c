"""Encryption of secrets at rest."""

import hashlib
import hmac
import stat
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from athena.errors import AthenaError
from athena.store.encryption import DecryptionFailed, Encryption


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


def test_what_earlier_versions_encrypted_is_read(tmp_path: Path) -> None:
    """The key's file, the form and the signatures are those of the first version."""
    key = Fernet.generate_key()
    (tmp_path / "athena.key").write_bytes(key)
    encryption = Encryption(tmp_path)
    assert encryption.decrypt(Fernet(key).encrypt(b"old").decode()) == "old"
    signing = hashlib.sha256(b"links" + key).digest()
    signature = hmac.new(signing, b"link", hashlib.sha256).hexdigest()[:24]
    assert encryption.sign("link") == signature
