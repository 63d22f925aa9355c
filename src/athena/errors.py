"""Why a request is not taken. Each is a type; a dialect gives it its code and its words."""


class AthenaError(Exception):
    """Base of every error that Athena raises on purpose."""


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
