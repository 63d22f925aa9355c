"""One account put together from its real parts, with fakes at the ports: Discord, disk, time."""

import asyncio
from collections.abc import Callable, Coroutine
from random import Random
from typing import Any, cast

from pydantic import SecretStr

from athena.accounts.channel_cursor import ChannelCursor
from athena.accounts.ownership import OwnedTasks
from athena.accounts.queue import TaskQueue
from athena.accounts.reactions import AccountReactions
from athena.accounts.receiver import Receiver
from athena.accounts.recovery import Recovery
from athena.accounts.refresher import AccountRefresher
from athena.accounts.seeds import Seeds
from athena.accounts.sender import Sender
from athena.accounts.status import WorkerStatus
from athena.accounts.unknown_forms import UnknownForms
from athena.accounts.watchdog import Watchdog
from athena.clock import TurnableClock
from athena.discord import wire
from athena.discord.events import Event
from athena.discord.interactions import InteractionContext
from athena.discord.snowflakes import Snowflakes
from athena.midjourney import MIDJOURNEY, commands, prompts
from athena.settings import AccountSettings
from athena.store.account_directory import LocalDirectory
from athena.supervision import Supervisor
from athena.tasks import lifecycle
from athena.tasks.matching import TaskIndex
from athena.tasks.model import Task
from tests.unit.discord.settling import settle
from tests.unit.fakes import FakeHistory, FakeInteractor, MemoryRepository, NoTranslation

JOB = "0f3b1c9e-6a57-4f0e-9c1d-2b7e8a4d5c61"
ME = "7"


def account_settings(account: str = "5", **fields: Any) -> AccountSettings:
    return AccountSettings(token=SecretStr("t"), guild_id="9", channel_id=account, **fields)


class GatedInteractor(FakeInteractor):
    """Nonces that hold their moment, as Discord's do; acts and uploads wait at their gates."""

    def __init__(self, clock: TurnableClock, worker: int = 1) -> None:
        super().__init__()
        self.act_gate, self.upload_gate = asyncio.Event(), asyncio.Event()
        self.act_gate.set()
        self.upload_gate.set()
        self.inputs: list[dict[str, str]] = []
        self.regions: list[tuple[str, bytes, str]] = []
        self.contexts: list[object] = []
        self._snowflakes = Snowflakes(clock, worker)

    def nonce(self) -> str:
        return self._snowflakes.nonce()

    async def act(
        self, interaction: commands.Interaction, nonce: str, attachments: object = ()
    ) -> None:
        await self.act_gate.wait()
        await super().act(interaction, nonce, attachments)

    async def image_links(self, task: Task) -> list[str]:
        await self.upload_gate.wait()
        return await super().image_links(task)

    async def submit_modal(self, modal: Any, inputs: Any, nonce: str) -> None:
        await super().submit_modal(modal, inputs, nonce)
        self.inputs.append(inputs)

    async def submit_region(self, token: str, mask: bytes, prompt: str) -> None:
        await super().submit_region(token, mask, prompt)
        self.regions.append((token, mask, prompt))

    async def use(
        self, command: commands.UseCommand, nonce: str, attachments: object = (),
        context: object = None,
    ) -> None:  # fmt: skip
        self.contexts.append(context)
        await super().use(command, nonce, attachments, context)


class FakeConnection(FakeHistory):
    """A gateway session that tells what it is told to tell, and the REST calls of seeds."""

    def __init__(self, account: str = "5") -> None:
        super().__init__()
        self.channel_id = account
        self.user_id: str | None = ME  # type: ignore[assignment]
        self.sessions = 0
        self.receive: Callable[[Event], None] = lambda event: None
        self.reactions: list[tuple[str, str]] = []
        self.on_react: Callable[[], None] = lambda: None
        self.user_errors: list[Exception] = []
        self._end: asyncio.Future[None] | None = None

    def listen(self, receive: Callable[[Event], None]) -> Coroutine[Any, Any, None]:
        async def session() -> None:
            self.receive = receive
            self.sessions += 1
            self._end = asyncio.get_running_loop().create_future()
            await self._end

        return session()

    def end(self, error: Exception) -> None:
        assert self._end is not None
        self._end.set_exception(error)

    async def learn_user(self) -> None:
        if self.user_errors:
            raise self.user_errors.pop(0)
        self.user_id = ME

    async def interaction_context(self) -> InteractionContext:
        return InteractionContext(guild_id="9", channel_id=self.channel_id, session_id="session")

    async def react(self, channel: str, message: str, emoji: str) -> None:
        await asyncio.sleep(0)
        if self.errors:
            raise self.errors.pop(0)
        self.reactions.append((channel, message))
        self.on_react()

    async def open_dm(self, user: str) -> wire.Channel:
        return wire.Channel(id=f"direct-{user}")


class Account:
    """An account that is online, with neither loops nor a session unless a test starts them."""

    def __init__(
        self,
        clock: TurnableClock,
        account: str = "5",
        *,
        repository: MemoryRepository | None = None,
        translation: object = None,
        **settings: Any,
    ) -> None:
        self.clock = clock
        self.repository = MemoryRepository() if repository is None else repository
        repo, self.random = cast(Any, self.repository), Random(1)
        words = cast(Any, translation or NoTranslation())
        self.directory = LocalDirectory()
        self.index = TaskIndex(prompts.normalized)
        self.queue = TaskQueue(self.index, commands.expected)
        self.tasks = OwnedTasks(account, repo, self.queue, clock)
        self.status = WorkerStatus(
            account_settings(account, **settings), self.directory, self.tasks.changed.set
        )
        self.status.go_online()
        self.tasks.changed.clear()
        self.supervisor = Supervisor(account, clock, self.random)
        self.interactor = GatedInteractor(clock)
        self.connection = FakeConnection(account)
        self._connect(repo, words)

    def _connect(self, repo: Any, words: Any) -> None:
        clock, connection = self.clock, cast(Any, self.connection)
        self.sender = Sender(
            self.status, self.tasks, cast(Any, self.interactor), repo, words, clock
        )
        self.seeds = Seeds(connection, self.sender, clock)
        self.refresher = AccountRefresher(self.status, self.sender, clock, self.random)
        self.reactions = AccountReactions(
            self.status, self.tasks, connection, self.sender, self.seeds, self.refresher,
            words, self.supervisor, clock,
        )  # fmt: skip
        self.forms = UnknownForms()
        self.cursor = ChannelCursor(self.tasks.account, None, repo, clock)
        self.receiver = self.receiver_for(self.reactions)
        self.recovery = Recovery(self.tasks, connection, self.receiver, clock, self.random)
        self.watchdog = Watchdog(
            self.status, self.tasks, self.recovery, self.reactions.translating, clock
        )

    def receiver_for(self, reactions: Any) -> Receiver:
        """Another receiver, which hands over to other reactions."""
        return Receiver(
            self.status, self.tasks, self.index, cast(Any, self.connection), reactions,
            self.clock, self.forms, self.cursor,
        )  # fmt: skip

    # Tasks

    def submit(self, task: Task) -> Task:
        """A task that waits."""
        self.repository.add(task)
        self.tasks.follow(task.id, task)
        return task

    def begin(self, task: Task) -> Task:
        """A task that has a slot."""
        self.submit(task)
        assert self.queue.next(15) is task
        return task

    def sending(self, task: Task, nonce: str | None = None) -> Task:
        """A task whose interaction may have been sent."""
        self.begin(task)
        now, number = self.clock.now(), nonce or self.interactor.nonce()
        self.tasks.apply(task.id, lambda each: lifecycle.begin_sending(each, number, now))
        return self.now(task)

    def sent(self, task: Task, nonce: str | None = None) -> Task:
        """A task whose interaction Discord took."""
        self.sending(task, nonce)
        now = self.clock.now()
        self.tasks.apply(task.id, lambda each: lifecycle.mark_sent(each, now))
        return self.now(task)

    def now(self, task: Task) -> Task:
        """A task as it is stored."""
        found = self.repository.held(task.id)
        assert found is not None
        return found

    def cancel(self, task: Task) -> Task:
        """What the service does for a user who cancels."""
        return self.replace(task, lifecycle.cancel(self.now(task), self.clock.now()))

    def replace(self, task: Task, after: Task) -> Task:
        """Any change that is made on the service's side."""
        self.repository.save(self.now(task), after)
        self.tasks.follow(task.id, after if after.account == self.tasks.account else None)
        return after

    async def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something to its end, and what it has started."""
        await work
        await settle()


def move(task: Task, origin: Account, target: Account) -> Task:
    """What the service does with an unsent task of an account that stopped."""
    moved = origin.replace(task, lifecycle.move(origin.now(task), target.tasks.account))
    target.tasks.follow(task.id, moved)
    return moved


# Messages


def bot_message(number: str, content: str = "", **fields: Any) -> wire.Message:
    """A message of the Midjourney bot in the account's channel."""
    fields = {"channel_id": "5", "author": wire.User(id=MIDJOURNEY, bot=True), **fields}
    return wire.Message(id=number, content=content, **fields)


def progress(number: str, task: Task, percent: int = 30, **fields: Any) -> wire.Message:
    return bot_message(number, f"**{task.prompt}** - <@{ME}> ({percent}%) (fast)", **fields)


def finished(number: str, task: Task, job: str = JOB, **fields: Any) -> wire.Message:
    image = wire.Attachment(id="1", filename=f"me_cat_{job}.png", url="https://cdn/cat.png")
    return bot_message(
        number, f"**{task.prompt}** - <@{ME}> (fast)", attachments=(image,), **fields
    )


def notice(number: str, title: str, **fields: Any) -> wire.Message:
    embed = wire.Embed(title=title, description="so it is", color=16776960)
    return bot_message(number, embeds=(embed,), **fields)


def described(number: str, **fields: Any) -> wire.Message:
    """An answer to `/describe`."""
    return bot_message(number, embeds=(wire.Embed(description="1️⃣ a cat on a mat"),), **fields)


def caused_by(interaction: str, user: str = ME) -> wire.InteractionRef:
    return wire.InteractionRef(id=interaction, user=wire.User(id=user))
