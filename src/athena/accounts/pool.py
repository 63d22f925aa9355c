"""All accounts of the process: starts them, chooses among them, moves tasks off those that stop."""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from random import Random

import structlog
from msgspec.structs import replace

from athena.accounts.account import Account, AccountState
from athena.accounts.channel_cursor import ChannelCursor
from athena.accounts.connection import Connection
from athena.accounts.prompt_translation import PromptTranslation
from athena.accounts.receiver import Receiver
from athena.accounts.recovery import Recovery
from athena.accounts.refresher import AccountRefresher
from athena.accounts.seeds import Seeds
from athena.accounts.sender import Sender
from athena.accounts.unknown_forms import UnknownForms
from athena.clock import Clock
from athena.discord import events
from athena.discord.errors import DiscordError, GatewayRefused, TokenRefused, Unauthorized
from athena.discord.http_sessions import HttpSessions
from athena.discord.pacing import IdentifyPacer
from athena.discord.rest import Rest
from athena.discord.wire import Message, ModalCreate
from athena.errors import BadRequest, NoAccount, QueueFull
from athena.midjourney import buttons, commands, notices
from athena.service.choosing import ANY, AccountFilter, Chooser, Rule
from athena.settings import AccountSettings, DiscordSettings
from athena.store.store import Store
from athena.tasks import lifecycle
from athena.tasks.bot_events import BotEvent, Evidence, Finished, Notice, Profile, Verdict
from athena.tasks.model import Sending, Speed, Task
from athena.tasks.requests import Press

log = structlog.get_logger(__name__)

_BAD_LOGIN = "Discord refused this account's token. Put in a valid one and start again."


class Runner:
    """One account with its line to Discord, kept working together."""

    def __init__(
        self,
        settings: AccountSettings,
        discord: DiscordSettings,
        http: HttpSessions,
        store: Store,
        clock: Clock,
        random: Random,
        relieve: Callable[[Account], None],
        unknown_forms: UnknownForms,
        translation: PromptTranslation,
        last_seen: str | None,
        pacer: IdentifyPacer | None = None,
    ) -> None:
        self.settings = settings
        self.account = Account(settings, store, clock)
        self.connection = Connection(http, discord, settings, clock, random, pacer)
        self.sender = Sender(self.account, self.connection, store, clock, translation)
        self._translation = translation
        self.refresher = AccountRefresher(self.account, self.sender, settings, clock, random)
        self.seeds = Seeds(self.connection, self.sender, clock)
        self.seen = ChannelCursor(self.account.id, last_seen, store, clock)
        self.receiver = Receiver(self.account, self.connection, clock, unknown_forms, self.seen)
        self.recovery = Recovery(self.account, self.connection, self.receiver, clock)
        self.account.relieve = relieve
        self.account.send = self.sender.send
        self.account.last_look = self.recovery.catch_up
        self.receiver.on_notice = self._heed
        self.receiver.on_unwanted = self._cancel_late
        self.receiver.on_modal = self._opened
        self.receiver.on_prepared = self._prepared
        self.receiver.on_seed = self.seeds.told
        self.receiver.on_shown = self.seeds.shown
        self.receiver.on_words = self._translate
        self.receiver.translates = translation.is_there

    async def run(self) -> None:
        """Work until cancelled. A final refusal of Discord's stops the account, not the program."""
        work = asyncio.create_task(self.account.run())
        care = asyncio.create_task(self.refresher.run())
        try:
            await self.connection.listen(self._receive)
        except (TokenRefused, Unauthorized):
            self.account.stop(_BAD_LOGIN)
        except GatewayRefused as error:
            self.account.stop(f"Discord closed the session for good: {error}")
        finally:
            care.cancel()
            self.seen.save()
            if self.account.state is not AccountState.STOPPED:
                self.account.go_offline()
                work.cancel()
                await asyncio.wait([work])
        await work

    def _receive(self, event: events.Event) -> None:
        match event:
            case events.Ready(user=user, first=first):
                if self.connection.listens_as_bot:
                    self.account.spawn(self._learn_user())
                else:
                    self.connection.user_id = user.id
                self._online(catch_up=True)
                log.info("account.ready", account=self.account.id, user=user.username, first=first)
            case events.Gap(missing=missing):
                log.warning("account.events_lost", account=self.account.id, events=missing)
                self.account.spawn(self.recovery.after_gap())
            case events.Resumed():
                self._online(catch_up=False)
                log.info("account.resumed", account=self.account.id)
            case events.Disconnected(code=code):
                self.account.go_offline()
                log.warning("account.disconnected", account=self.account.id, code=code)
            case _:
                self._read(event)

    def _read(self, event: events.Event) -> None:
        """A fault over one event must not cost the session; the history tells it again."""
        try:
            self.receiver.receive(event)
        except Exception:
            log.exception("event.failed", account=self.account.id, kind=type(event).__name__)

    def _online(self, *, catch_up: bool) -> None:
        if self.account.state is AccountState.STOPPED:
            return
        self.account.go_online()
        if catch_up:
            self.account.spawn(self._catch_up())
            if self.settings.refresh_minutes and not self.connection.listens_as_bot:
                self.account.spawn(self.refresher.refresh())

    async def _catch_up(self) -> None:
        await self.recovery.catch_up()

    async def _learn_user(self) -> None:
        """Who sends; a token that is refused here would be refused for every task."""
        try:
            await self.connection.learn_user()
        except Unauthorized:
            self.account.stop(_BAD_LOGIN)
        except DiscordError as error:
            log.warning("account.user_unknown", account=self.account.id,
                        error=type(error).__name__)  # fmt: skip

    def _heed(self, notice: Notice) -> None:
        """What concerns the account: go on in relaxed mode, or stop until its owner has acted."""
        if notices.is_exhausted(notice.title) and self.refresher.may_relax():
            self.account.spawn(self.refresher.relax())
            return
        where = f" See {self._channel_link}" if notice.verdict is Verdict.HUMAN_CHECK else ""
        self.account.stop(f"Midjourney: {notice.reason}{where}")

    @property
    def _channel_link(self) -> str:
        return f"https://discord.com/channels/{self.connection.guild_id}/{self.account.id}"

    def _opened(self, task: Task, modal: ModalCreate) -> None:
        if isinstance(task.request, Press) and task.request.reply is None:
            # A modal that nobody expected: the account has Remix on.
            self.account.profile = self.account.profile.updated(Profile(remix=True))
        self.account.spawn(self.sender.answer(task, modal))

    def _translate(self, task: Task, seen: Finished) -> None:
        async def translate() -> None:
            translated = await self._translation.chinese(seen.words or "")
            self.receiver.finish(task.id, replace(seen, translated=translated or ""))

        self.account.spawn(translate())

    def _prepared(self, task: Task, seen: BotEvent) -> None:
        self.account.spawn(self.sender.go_on(task, seen))

    def _cancel_late(self, task: Task, evidence: Evidence) -> None:
        if evidence.message and evidence.job:
            self.account.spawn(self.cancel_job(task, evidence.message, evidence.job))
        self.account.forget_unwanted(task)

    async def cancel_job(self, task: Task, message: str, job: str) -> None:
        """Cancel a running job at Midjourney; that it is over already is no error."""
        application = commands.APPLICATIONS[task.bot]
        try:
            await self.sender.press(message, buttons.cancel_button(job), application)
        except DiscordError as error:
            log.info("job.not_cancelled", task=task.id, error=type(error).__name__)


class Pool:
    """The accounts. Use `running()` as their lifetime."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        random: Random,
        unknown_forms: UnknownForms | None = None,
        translation: PromptTranslation | None = None,
        seen: Mapping[str, str] | None = None,
    ) -> None:
        self._translation = translation or PromptTranslation()
        self._seen = dict(seen or {})
        self.unknown_forms = unknown_forms or UnknownForms()
        self.chooser = Chooser(Rule.BEST_WAIT_IDLE, random)
        self._store = store
        self._clock = clock
        self._random = random
        self._pacer = IdentifyPacer(clock)
        self._runners: dict[str, Runner] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._restarting: set[str] = set()
        """Accounts between two sessions; what is theirs is taken up by the next one."""

    def add(
        self, settings: AccountSettings, discord: DiscordSettings, http: HttpSessions
    ) -> Runner:
        runner = Runner(
            settings, discord, http, self._store, self._clock, self._random, self.relieve,
            self.unknown_forms, self._translation, self._seen.get(settings.channel_id), self._pacer,
        )  # fmt: skip
        self._runners[runner.account.id] = runner
        return runner

    def remember(self, ended: Iterable[Task]) -> None:
        """What was before this process: whose the ids of ended tasks were. Their messages are
        still in the channels, and are nobody else's."""
        for task in ended:
            if runner := self._runners.get(task.account):
                runner.account.remember(task)

    def runner(self, account_id: str) -> Runner | None:
        return self._runners.get(account_id)

    async def look_up(self, message_id: str) -> tuple[Runner, Message]:
        """A message of the bot's in one of the accounts' channels.

        Raises:
            BadRequest: none of them has it.
        """
        for runner in self._runners.values():
            if runner.account.state is AccountState.STOPPED:
                continue
            try:
                channel = runner.account.id
                return runner, await runner.connection.rest.message(channel, message_id)
            except DiscordError as error:
                log.info("message.not_found", account=channel, error=type(error).__name__)
        raise BadRequest(f"msg_id: there is no message {message_id}")

    def lines(self, preferred: Iterable[str]) -> Iterator[Rest]:
        """Lines to Discord by which a question that any account may ask can be asked: those of
        the preferred accounts first, those of stopped ones not at all."""
        order = [*dict.fromkeys(preferred), *self._runners]
        for account_id in dict.fromkeys(order):
            runner = self._runners.get(account_id)
            if runner and runner.account.state is not AccountState.STOPPED:
                yield runner.connection.rest

    def runners(self) -> list[Runner]:
        return list(self._runners.values())

    def accounts(self) -> list[Account]:
        return [runner.account for runner in self._runners.values()]

    def resume(self, tasks: Iterable[Task]) -> None:
        """Give every unfinished task back to its account, in the order of their coming."""
        for task in tasks:
            runner = self._runners.get(task.account)
            if task.account in self._restarting:
                continue
            if runner is None:
                reason = "Its account is no longer configured."
                self._store.save(task, lifecycle.fail(task, reason, self._clock.now()))
            else:
                runner.account.adopt(self._unprepared(task))

    def _unprepared(self, task: Task) -> Task:
        """A first step that was cut off made nothing: it is taken again."""
        if task.sending is not Sending.PREPARING:
            return task
        unsent = lifecycle.unsend(task, self._clock.now())
        self._store.save(task, unsent)
        return unsent

    async def run(self) -> None:
        """Run all accounts until cancelled; what breaks one of them stops that one alone."""
        try:
            for runner in self._runners.values():
                self._begin(runner)
            await asyncio.Event().wait()
        finally:
            await asyncio.gather(*(self._end(each) for each in list(self._running)))

    async def start(
        self, settings: AccountSettings, discord: DiscordSettings, http: HttpSessions
    ) -> Runner:
        """Add an account to a pool that runs, with the unfinished tasks that are its own."""
        runner = self.add(settings, discord, http)
        self._restarting.discard(runner.account.id)
        self.remember(self._store.recent())
        own = (task for task in self._store.unfinished() if task.account == runner.account.id)
        self.resume(own)
        self._begin(runner)
        return runner

    async def stop(self, account_id: str, *, for_good: bool = False) -> None:
        """End an account's session. Its tasks wait for a new one, or, `for_good`, go elsewhere or
        fail."""
        runner = self._runners.pop(account_id)
        self._seen[account_id] = runner.seen.newest
        if not for_good:
            self._restarting.add(account_id)
        await self._end(account_id)
        if for_good:
            runner.account.stop("The account was removed.")
            self.resume(runner.account.tasks())

    def _begin(self, runner: Runner) -> None:
        if not runner.settings.enable:
            runner.account.stop("The account is disabled.")
            return
        self._running[runner.account.id] = asyncio.create_task(_alone(runner))

    async def _end(self, account_id: str) -> None:
        if running := self._running.pop(account_id, None):
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running

    def choose(
        self, wish: AccountFilter = ANY, speed: Speed | None = None
    ) -> tuple[Runner, Speed | None]:
        """The account that takes a task, and the speed that it is to have.

        Raises:
            NoAccount, QueueFull: as `Chooser.choose`.
        """
        account_id, speed = self.chooser.choose(self.accounts(), wish, speed)
        return self._runners[account_id], speed

    def relieve(self, stopped: Account) -> None:
        """Move what waits at a stopped account to others; what only it can do fails."""
        for task in stopped.unsent():
            try:
                self._move(task, stopped)
            except (NoAccount, QueueFull):
                reason = f"Its account stopped: {stopped.reason}"
                stopped.change(task, lifecycle.fail(task, reason, self._clock.now()))

    def _move(self, task: Task, stopped: Account) -> None:
        if task.ids.parent_message:
            raise NoAccount("a button works only on the account that made the image")
        runner, _ = self.choose(speed=task.speed)
        taker = runner.account
        moved = lifecycle.move(task, taker.id)
        stopped.give_up(task)
        self._store.save(task, moved)
        taker.adopt(moved)


async def _alone(runner: Runner) -> None:
    try:
        await runner.run()
    except Exception as error:
        log.exception("account.broken", account=runner.account.id)
        runner.account.stop(f"A fault in Athena stopped it: {type(error).__name__}")
