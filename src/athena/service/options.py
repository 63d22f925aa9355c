"""The options of a submit, and the answer to it."""

from msgspec import Struct, field
from msgspec.structs import replace

from athena.service.idempotency import IdempotencyKey
from athena.tasks.model import ANY_ACCOUNT, AccountFilter, Api, Bot, ImageLinks, Speed, Task


class SubmitOptions(Struct, frozen=True, kw_only=True):
    """The options of a request, whatever it asks for."""

    state: str | None = None
    webhook: str | None = None
    speed: Speed | None = None
    bot: Bot = Bot.MIDJOURNEY
    image_links: ImageLinks | None = None
    image_host: str | None = None
    token: str | None = None
    accounts: AccountFilter = ANY_ACCOUNT
    """Which accounts may do it."""
    trigger: str | None = None
    api: Api = Api.MJ
    once: IdempotencyKey | None = None
    """The idempotency key (see `service.idempotency`)."""

    def bound_to(self, account: str) -> "SubmitOptions":
        """The same, for one account alone."""
        return replace(self, accounts=AccountFilter(account=account))


class Accepted(Struct, frozen=True, kw_only=True):
    """A task that is on disk. `ahead` tasks wait before it; None: a slot is free for it."""

    task: Task
    ahead: int | None = None
    modal: str | None = field(default=None, name="window")
    """The prompt that its modal proposes; None: there is no modal to fill in."""
    remix: bool = False
    repeated: bool = False
    """The request was accepted before under the same key; this is the earlier answer."""
