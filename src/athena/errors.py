"""All errors that Athena raises deliberately, as one tree.

AthenaError
 ├─ RequestRefused          the request was not accepted, and nothing of it was stored
 │   ├─ BadRequest          something in it is wrong; the text says what
 │   │   └─ KeyReused       its idempotency key belongs to another request
 │   ├─ BannedWord          the prompt has a word that Midjourney refuses
 │   ├─ NotFound            UnknownTask, UnknownAccount, UnknownTrigger
 │   ├─ NotAllowed          the caller may not do this
 │   ├─ WrongState          the task is not in a state in which this can be done
 │   ├─ UnknownButton       the task has no such button
 │   ├─ NotSupported        the button exists, but using it creates no task
 │   ├─ QueueFull           no room is left; try again later
 │   ├─ QuotaExceeded       the token's quota is used up
 │   ├─ NoAccount           no account can work; the text says why
 │   └─ NoAnswer            Midjourney or Discord did not answer; the text says which
 └─ StoreError              the database cannot do what was asked
     ├─ StoreUnavailable    it takes no writes now, or the store is closed
     ├─ Conflict            the task has changed: load it again
     │   └─ UnknownTaskRow  the task is not stored, or was deleted
     ├─ SearchTimeout       a search took too long and was stopped
     ├─ FolderInUse         another process works with the data folder
     └─ SchemaMismatch      the database has another version than this program
         ├─ SchemaTooNew    a newer Athena made it
         └─ SchemaTooOld    it must be migrated first, which starting the server does

Discord's errors (`discord.errors.DiscordError`) and those of deliveries (`delivery`) are under
`AthenaError` too, in their own rooms. How an error is answered is decided in one place for each
API: `http.mj.responses` and `http.trigger.routes`.
"""


class AthenaError(Exception):
    """Base of all errors of Athena."""


class RequestRefused(AthenaError):
    """The request was not accepted, and nothing of it was stored."""


class BadRequest(RequestRefused):
    """Something in it is wrong; the text says what."""


class KeyReused(BadRequest):
    """The idempotency key belongs to another request."""

    def __init__(self) -> None:
        super().__init__("Idempotency-Key: it was used with another request before")


class BannedWord(RequestRefused):
    """The prompt has a word that Midjourney refuses."""

    def __init__(self, word: str, prompt: str) -> None:
        super().__init__(f"the prompt has the banned word {word!r}")
        self.word = word
        self.prompt = prompt


class NotFound(RequestRefused):
    """Something that the request names does not exist."""


class UnknownTask(NotFound):
    """No task has this id."""

    def __init__(self, task_id: str) -> None:
        super().__init__(f"there is no task {task_id!r}")
        self.task_id = task_id


class UnknownAccount(NotFound):
    """No account has this id."""

    def __init__(self, account_id: str) -> None:
        super().__init__(f"there is no account {account_id!r}")
        self.account_id = account_id


class UnknownTrigger(NotFound):
    """No task belongs to this trigger."""

    def __init__(self, trigger: str) -> None:
        super().__init__(f"there is no task of the trigger {trigger}")


class NotAllowed(RequestRefused):
    """The caller is known, but may not do this."""


class WrongState(RequestRefused):
    """The related task is not in a state in which this can be done."""


class UnknownButton(RequestRefused):
    """The related task's message has no such button."""


class NotSupported(RequestRefused):
    """The button exists, but using it creates no task."""


class QueueFull(RequestRefused):
    """The account has no room for more tasks; try again later."""

    def __init__(self, account: str, size: int) -> None:
        super().__init__(f"{size} tasks wait already")
        self.account = account
        self.size = size


class QuotaExceeded(RequestRefused):
    """The token's quota is used up. `wait` is in seconds."""

    def __init__(self, what: str, wait: float) -> None:
        super().__init__(what)
        self.wait = wait


class NoAccount(RequestRefused):
    """No account can work; the text says why."""


class NoAnswer(RequestRefused):
    """Midjourney or Discord did not answer a question; the text says which."""


class StoreError(AthenaError):
    """The database cannot do what was asked: the file is damaged, foreign or not readable."""


class StoreUnavailable(StoreError):
    """Nothing can be written now, and this write was not stored. It may work again later."""


class Conflict(StoreError):
    """The write builds on a state that is not the current one. Load it again and decide again."""


class UnknownTaskRow(Conflict):
    """The task is not stored, or was deleted."""


class SearchTimeout(StoreError):
    """A search took too long and was stopped. Narrow it."""


class FolderInUse(StoreError):
    """Another process works with this data folder."""


class SchemaMismatch(StoreError):
    """The database's version is not one that this program works with."""


class SchemaTooNew(SchemaMismatch):
    """The database was made by a newer Athena."""


class SchemaTooOld(SchemaMismatch):
    """The database was made by an older Athena, and only the server migrates it."""
