"""Files that are uploaded to Discord without a task, and messages there."""

from collections.abc import Sequence

import structlog

from athena.clock import Clock
from athena.discord.wire import Message
from athena.errors import BadRequest, NoAccount, NoAnswer
from athena.service.admission import Admission
from athena.service.idempotency import IdempotencyKey, IdempotencyKeys
from athena.service.options import SubmitOptions
from athena.store.account_directory import AccountDirectory, AccountState, AccountStatus
from athena.store.commands import AccountCommands
from athena.store.repository import TaskRepository
from athena.tasks.model import ANY_ACCOUNT, AccountFilter
from athena.tasks.requests import Upload

log = structlog.get_logger(__name__)


class FileService:
    """Besides the documented errors, all methods raise

    NoAccount: no account can do it now.
    NoAnswer: Discord did not do it.
    """

    def __init__(
        self,
        repository: TaskRepository,
        directory: AccountDirectory,
        admission: Admission,
        keys: IdempotencyKeys,
        commands: AccountCommands,
        clock: Clock,
    ) -> None:
        self._repository = repository
        self._directory = directory
        self._admission = admission
        self._keys = keys
        self._commands = commands
        self._clock = clock

    async def post_images(
        self, images: Sequence[Upload], key: IdempotencyKey | None = None
    ) -> list[str]:
        """Upload images to Discord; their links."""

        async def take() -> list[str]:
            account, _ = self._admission.choose()
            links = await self._commands.post_images(account.id, images)
            if record := self._keys.record(key, links):
                await self._repository.keep_idempotency_record(record)
            return links

        return await self._keys.settle(key, list[str], take)

    async def upload(self, image: Upload) -> tuple[str, str]:
        """Upload an image to Discord without posting it: its name there, and the URL of the upload.

        Raises:
            StoreUnavailable: it cannot be remembered whose it is.
        """
        account, _ = self._admission.choose()
        name, place = await self._commands.upload(account.id, image)
        await self._repository.keep_uploaded_file(name, account.id, self._clock.now())
        return name, place

    async def post_uploaded(self, name: str) -> str:
        """Post an image that was uploaded before; its link."""
        home = await self._repository.uploaded_file(name)
        wanted = AccountFilter(account=home) if home else ANY_ACCOUNT
        account, _ = self._admission.choose(wanted)
        return await self._commands.post_uploaded(account.id, name)

    async def bind(self, name: str, options: SubmitOptions) -> SubmitOptions:
        """The options of a task that uses an uploaded file: only the account in whose channel it is
        can see it."""
        home = await self._repository.uploaded_file(name)
        return options.bound_to(home) if home else options

    async def find_message(self, message_id: str) -> tuple[AccountStatus, Message]:
        """A bot's message in one of the accounts' channels.

        Raises:
            BadRequest: none of them has it.
            NoAnswer: an account could not be asked, and no other has it.
        """
        unanswered: NoAnswer | None = None
        for account in self._directory.all():
            if account.state is AccountState.STOPPED:
                continue
            try:
                message = await self._commands.message(account.id, message_id)
            except NoAccount:
                continue
            except NoAnswer as error:
                log.warning("message.lookup_failed", account=account.id, error=str(error))
                unanswered = error
                continue
            if message is not None:
                return account, message
        raise unanswered or BadRequest(f"msg_id: there is no message {message_id}")
