"""Every error that Athena raises on purpose, as one tree.

AthenaError
 └─ StoreError              the database cannot do what was asked
     ├─ StoreUnavailable    it takes no writes now, or the store is closed
     ├─ Conflict            the task was changed meanwhile: load it again
     │   └─ UnknownTaskRow  the task is not stored, or was deleted
     ├─ SearchTimeout       a search took too long and was stopped
     ├─ FolderInUse         another process works with the data folder
     └─ SchemaMismatch      the database has another version than this program
         ├─ SchemaTooNew    a newer Athena made it
         └─ SchemaTooOld    it must be migrated first, which starting the server does
"""


class AthenaError(Exception):
    """Base of all errors of Athena."""


class StoreError(AthenaError):
    """The database cannot do what was asked: the file is damaged, foreign or not readable."""


class StoreUnavailable(StoreError):
    """Nothing can be written now; nothing of this write was kept. It may work again later."""


class Conflict(StoreError):
    """The write builds on a state that is not the current one. Load it again and decide anew."""


class UnknownTaskRow(Conflict):
    """The task is not stored, or was deleted."""


class SearchTimeout(StoreError):
    """A search took longer than it may and was stopped. Narrow it."""


class FolderInUse(StoreError):
    """Another process works with this data folder."""


class SchemaMismatch(StoreError):
    """The database's version is not one that this program works with."""


class SchemaTooNew(SchemaMismatch):
    """The database was made by a newer Athena."""


class SchemaTooOld(SchemaMismatch):
    """The database was made by an older Athena, and only the server migrates it."""


class Refused(AthenaError):
    """The request was not taken and nothing of it was kept."""


class BadRequest(Refused):
    """Something in it is plainly wrong; the text says what."""


class BannedWord(Refused):
    """The prompt holds a word that Midjourney refuses."""

    def __init__(self, word: str, prompt: str) -> None:
        super().__init__(f"the prompt holds the banned word {word!r}")
        self.word = word
        self.prompt = prompt


class UnknownTask(Refused):
    """No task has this id."""

    def __init__(self, task_id: str) -> None:
        super().__init__(f"there is no task {task_id!r}")
        self.task_id = task_id


class WrongState(Refused):
    """The related task is not in a state in which this can be done."""


class UnknownButton(Refused):
    """The related task's message has no such button."""


class NotSupported(Refused):
    """The button exists, but pressing it makes no task."""


class QueueFull(Refused):
    """The account has no room left."""

    def __init__(self, account: str, size: int) -> None:
        super().__init__(f"{size} tasks wait already")
        self.account = account
        self.size = size


class NoAnswer(Refused):
    """Midjourney or Discord did not answer a question; the text says which."""


class NoAccount(Refused):
    """No account can work; the text says why."""
