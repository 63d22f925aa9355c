"""Encryption of secrets in the database, and signatures of our own links.

The key is a file next to the database, readable by its owner only. A copy of the database alone
reveals no secret; together with the key it reveals all.
"""

import base64
import hashlib
import hmac
import os
from pathlib import Path
from typing import TYPE_CHECKING

from athena.errors import AthenaError

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

_FILE = "athena.key"


class DecryptionFailed(AthenaError):
    """What was encrypted cannot be decrypted with this folder's key."""


class Encryption:
    """The key of a data folder, created with the folder."""

    def __init__(self, folder: Path) -> None:
        self._key = _key(folder / _FILE)
        self._signing = hashlib.sha256(b"links" + self._key).digest()

    def encrypt(self, secret: str) -> str:
        """Encrypt a secret (Fernet)."""
        return self._fernet().encrypt(secret.encode()).decode()

    def decrypt(self, encrypted: str) -> str:
        """Decrypt a secret.

        Raises:
            DecryptionFailed: it was encrypted with another key, or changed.
        """
        from cryptography.fernet import InvalidToken

        try:
            return self._fernet().decrypt(encrypted.encode()).decode()
        except InvalidToken as error:
            raise DecryptionFailed(f"{_FILE} is not the key of this database") from error

    def sign(self, text: str) -> str:
        """A short signature of a text that callers must return unchanged."""
        return hmac.new(self._signing, text.encode(), hashlib.sha256).hexdigest()[:24]

    def is_signed(self, text: str, signature: str) -> bool:
        """Whether `sign` made this signature of this text."""
        return hmac.compare_digest(self.sign(text), signature)

    def _fernet(self) -> "Fernet":
        # Most servers never encrypt anything, and the library is large.
        from cryptography.fernet import Fernet

        return Fernet(self._key)


def _key(file: Path) -> bytes:
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return file.read_bytes()
    key = base64.urlsafe_b64encode(os.urandom(32))
    with os.fdopen(handle, "wb") as out:
        out.write(key)
    return key
