"""The state of the simulated Discord: users, channels, messages, and who receives which event.

`World` implements `Stage`. Every action changes the state and is sent to all sessions that may see
it before it returns, in the same order for all.
"""

from collections import defaultdict
from collections.abc import Callable
from random import Random
from typing import Any
from urllib.parse import unquote, urlsplit

from msgspec import Struct

from athena.clock import Clock
from athena.discord.snowflakes import Snowflakes
from athena.simulator import objects
from athena.simulator.config import Config, UserConfig, guild_id, stable_id
from athena.simulator.faults import Faults
from athena.simulator.files import Files
from athena.simulator.sessions import MESSAGE_CONTENT, Account, Session, Sessions, encode
from athena.simulator.stage import Call, Draft, Json, Player

EPHEMERAL, LOADING = 64, 128
_WINDOW_LIFE = 15 * 60 * 1000
"""Milliseconds for which an open modal can be submitted."""

_REPLY, _COMMAND = 19, 20
_MOST_WHISPERS = 2_000


class Modal(Struct, frozen=True):
    """An open modal: the call that opened it, its custom_id, and the time."""

    call: Call
    custom_id: str
    opened: int


class World:
    """The servers with their users; the bots are members of all servers."""

    def __init__(self, config: Config, clock: Clock, random: Random, key: bytes) -> None:
        self.faults = Faults(config.faults)
        self.config = config
        self.clock = clock
        self.random = random
        self.ids = Snowflakes(clock, worker=3)
        self.files = Files(clock, self.ids, config.link_life, key)
        self.sessions = Sessions(clock, random, self.faults)
        self.players: dict[str, Player] = {}
        self.versions: dict[tuple[str, str], str] = {}
        """Command versions changed by control calls, by (application, name)."""
        self.modals: dict[str, Modal] = {}
        """Open modals by their interaction ids."""
        self.modal_life = _WINDOW_LIFE
        self._whispers: dict[str, Json] = {}
        self.partial_updates = False
        """Whether MESSAGE_UPDATE contains only changed fields."""
        self.gateway_url = ""
        self._guild_names = {guild_id(guild): guild.name for guild in config.guilds}
        self.accounts = {user.token: _account(config, user) for user in config.users}
        self._by_id = {account.id: account for account in reversed(self.accounts.values())}
        self._members: defaultdict[str, list[Account]] = defaultdict(list)
        for account in self.accounts.values():
            self._members[account.guild_id].append(account)
        self.channels: dict[str, Json] = self._channels()
        self.messages: dict[str, dict[str, Json]] = {name: {} for name in self.channels}

    # Users, servers and channels

    def add_player(self, player: Player) -> None:
        self.players[player.application_id] = player

    def user(self, user_id: str) -> Json | None:
        """The public user object of a user or bot."""
        if player := self.players.get(user_id):
            return objects.user(user_id, player.username, bot=True)
        account = self._by_id.get(user_id)
        return account.user if account else None

    def plan_of(self, user_id: str) -> str:
        """The Midjourney plan of a user."""
        return self._by_id[user_id].plan

    def guild(self, home: str) -> Json:
        """A server with its channels and members."""
        people = [account.user for account in self._members[home]]
        people += [user for app in self.players if (user := self.user(app))]
        members = [objects.member(user, 1_700_000_000_000) for user in people]
        channel_ids = dict.fromkeys(account.channel_id for account in self._members[home])
        channels = [self.channels[channel_id] for channel_id in channel_ids]
        return objects.guild(home, self._guild_names[home], str(people[0]["id"]), channels, members)

    def is_member(self, account: Account, home: str) -> bool:
        return account.guild_id == home

    def commands(self) -> list[Json]:
        """The command index, with the current versions.

        Many clients find a command by its name alone; if two bots have a command of the same name,
        some take the first and some the last. The first bot's commands are at both ends, so that
        all clients find them.
        """
        players = list(self.players.values())
        listed = [*players, players[0]] if len(players) > 1 else players
        entries = [entry for player in listed for entry in player.commands()]
        return [{**entry, "version": self.version(entry)} for entry in entries]

    def version(self, entry: Json) -> str:
        changed = self.versions.get((entry["application_id"], entry["name"]))
        return changed or str(entry["version"])

    def may_see(self, account: Account, channel_id: str) -> bool:
        channel = self.channels.get(channel_id)
        if channel is None:
            return False
        if home := channel.get("guild_id"):
            return self.is_member(account, home)
        return any(each["id"] == account.id for each in channel["recipients"])

    def direct_channel(self, application_id: str, user_id: str) -> str:
        channel_id = stable_id("dm", application_id, user_id)
        if channel_id not in self.channels:
            faces = [face for each in (application_id, user_id) if (face := self.user(each))]
            self.channels[channel_id] = objects.direct_channel(channel_id, faces)
            self.messages[channel_id] = {}
        return channel_id

    def _channels(self) -> dict[str, Json]:
        made: dict[str, Json] = {}
        for account, user in zip(self.accounts.values(), self.config.users, strict=True):
            channel_id = account.channel_id
            if channel_id not in made:
                made[channel_id] = objects.channel(
                    channel_id, account.guild_id, user.channel, len(made)
                )
        return made

    # The stage

    def succeed(self, call: Call) -> None:
        self._tell_cause(call, "INTERACTION_SUCCESS", {"id": call.id, "nonce": call.nonce})

    def fail(self, call: Call, reason_code: int) -> None:
        data = {"id": call.id, "nonce": call.nonce, "reason_code": reason_code}
        self._tell_cause(call, "INTERACTION_FAILURE", data)

    def respond(self, call: Call, draft: Draft) -> Json:
        kind = _COMMAND if call.kind == 2 else _REPLY
        reply = call.message_id if kind == _REPLY else None
        message = self._new_message(call.application_id, call.channel_id, draft, call, reply, kind)
        self._keep_and_tell(message, call)
        self.succeed(call)
        return message

    def post(
        self,
        application_id: str,
        channel_id: str,
        draft: Draft,
        *,
        call: Call | None = None,
        reply_to: str | None = None,
    ) -> Json:
        kind = _REPLY if reply_to else 0
        message = self._new_message(application_id, channel_id, draft, call, reply_to, kind)
        self._keep_and_tell(message, None)
        return message

    def say(self, author: Json, channel_id: str, content: str, files: list[Json]) -> Json:
        """Post a user's own message."""
        fields = {"content": content, "attachments": files}
        message = objects.message(
            str(self.ids.make()), channel_id, author, self.clock.now(), fields
        )
        self._keep_and_tell(message, None)
        return message

    def open_modal(self, call: Call, custom_id: str, title: str, inputs: tuple[Json, ...]) -> None:
        self.modals[call.id] = Modal(call, custom_id, self.clock.now())
        rows = [{"type": 1, "components": [each]} for each in inputs]
        self._open(call, "INTERACTION_MODAL_CREATE", custom_id, title, components=rows)

    def open_page(self, call: Call, custom_id: str, title: str, path: str) -> None:
        event = "INTERACTION_IFRAME_MODAL_CREATE"
        self._open(call, event, custom_id, title, iframe_path=path, modal_size=3)

    def _open(self, call: Call, event: str, custom_id: str, title: str, **more: Any) -> None:
        face = self.user(call.application_id) or {}
        data = {
            "id": call.id,
            "nonce": call.nonce,
            "channel_id": call.channel_id,
            "custom_id": custom_id,
            "title": title,
            "application": {"id": call.application_id, "name": face.get("username", "")},
            **more,
        }
        self._tell_cause(call, event, data)

    def submitted(self, interaction_id: str, custom_id: str) -> Modal | None:
        """Close a submitted modal; None if it is not open or has expired."""
        modal = self.modals.pop(interaction_id, None)
        if modal is None or modal.custom_id != custom_id:
            return None
        return modal if self.clock.now() - modal.opened < self.modal_life else None

    def edit(self, channel_id: str, message_id: str, draft: Draft) -> None:
        known = self.message(channel_id, message_id)
        if known is None:
            return
        changed = {
            "content": draft.content,
            "embeds": list(draft.embeds),
            "components": list(draft.components),
            "attachments": self._attach(channel_id, draft),
            "flags": known["flags"] & ~LOADING,
            "edited_timestamp": objects.timestamp(self.clock.now()),
        }
        known.update(changed)
        same = {"id": message_id, "channel_id": channel_id, "guild_id": self._guild_of(channel_id)}
        data = {**same, **changed} if self.partial_updates else known
        self._tell("MESSAGE_UPDATE", data, only=_sole_hearer(known))

    def delete(self, channel_id: str, message_id: str) -> None:
        known = self.messages[channel_id].pop(message_id, None)
        if known is not None:
            gone = {"id": message_id, "channel_id": channel_id}
            self._tell("MESSAGE_DELETE", {**gone, "guild_id": self._guild_of(channel_id)})

    def message(self, channel_id: str, message_id: str) -> Json | None:
        held = self.messages.get(channel_id, {}).get(message_id)
        return held or self._whispers.get(message_id)

    def image_at(self, url: str) -> Callable[[], bytes] | None:
        if not self.files.base_url or not url.startswith(self.files.base_url):
            return None
        channel_id, file_id, *_ = [*urlsplit(url).path.split("/")[-3:], ""]
        file = self.files.find(unquote(channel_id), file_id)
        if file is None:
            raise LookupError(url)
        return file.make

    def inject(self, event: str, data: Json, *, kept: bool = False) -> None:
        """Send an event of any form about a channel, even one that Discord would not send. A `kept`
        message is in the history too."""
        if kept:
            self.messages[data["channel_id"]][data["id"]] = data
        self._tell(event, data)

    # Messages and events

    def _new_message(
        self,
        application_id: str,
        channel_id: str,
        draft: Draft,
        call: Call | None,
        reply_to: str | None,
        kind: int,
    ) -> Json:
        fields: Json = {
            "type": kind,
            "content": draft.content,
            "embeds": list(draft.embeds),
            "components": list(draft.components),
            "attachments": self._attach(channel_id, draft),
            "flags": EPHEMERAL * draft.ephemeral | LOADING * draft.loading,
            "application_id": application_id,
            **(_caused_by(call, self.user(call.user_id)) if call else {}),
            **(self._replying(channel_id, reply_to) if reply_to else {}),
        }
        author = self.user(application_id) or objects.user(application_id, "bot", bot=True)
        message_id = str(self.ids.make())
        message = objects.message(message_id, channel_id, author, self.clock.now(), fields)
        if call:
            message["mentions"] = [self.user(call.user_id)]
        return message

    def _attach(self, channel_id: str, draft: Draft) -> list[Json]:
        drawn = (self.files.add_drawing(channel_id, drawing) for drawing in draft.drawings)
        return [self.files.attachment(file) for file in drawn]

    def _replying(self, channel_id: str, message_id: str) -> Json:
        reference = {
            "type": 0,
            "channel_id": channel_id,
            "message_id": message_id,
            "guild_id": self._guild_of(channel_id),
        }
        return {
            "message_reference": reference,
            "referenced_message": self.message(channel_id, message_id),
        }

    def _guild_of(self, channel_id: str) -> str | None:
        return self.channels.get(channel_id, {}).get("guild_id")

    def _keep_and_tell(self, message: Json, cause: Call | None) -> None:
        if message["flags"] & EPHEMERAL:
            self._whisper(message)
        else:
            self.messages[message["channel_id"]][message["id"]] = message
            self.channels[message["channel_id"]]["last_message_id"] = message["id"]
        home = self._guild_of(message["channel_id"])
        data = {**message, "guild_id": home} if home else message
        self._tell("MESSAGE_CREATE", data, cause, only=_sole_hearer(message))

    def _whisper(self, message: Json) -> None:
        """Keep an ephemeral message: it is not in the history, but its buttons work for a while."""
        self._whispers[message["id"]] = message
        if len(self._whispers) > _MOST_WHISPERS:
            del self._whispers[next(iter(self._whispers))]

    def _tell(
        self, event: str, data: Json, cause: Call | None = None, *, only: str | None = None
    ) -> None:
        """Send an event to all sessions that may see it, or to one user `only`; each form is
        encoded once."""
        whole = encode(data)
        causing = self._causing(cause) if cause else []
        for session in self._hearers(data["channel_id"], only):
            if session in causing:
                session.dispatch(event, encode({**data, "nonce": cause and cause.nonce}))
            elif session.intents & MESSAGE_CONTENT or event == "MESSAGE_DELETE":
                session.dispatch(event, whole)
            else:
                session.dispatch(event, encode(_without_content(data)))

    def _hearers(self, channel_id: str, only: str | None) -> list[Session]:
        channel = self.channels[channel_id]
        direct = channel["type"] == 1
        return [
            session
            for session in self._present(channel)
            if session.wants(direct=direct)
            and self.may_see(session.account, channel_id)
            and (only is None or session.account.id == only)
        ]

    def _present(self, channel: Json) -> list[Session]:
        """The sessions of those who may be in a channel."""
        if home := channel.get("guild_id"):
            return self.sessions.in_guild(home)
        people = channel["recipients"]
        return [each for person in people for each in self.sessions.of_user(person["id"])]

    def _tell_cause(self, call: Call, event: str, data: Json) -> None:
        for session in self._causing(call):
            session.dispatch(event, encode(data))

    def _causing(self, call: Call) -> list[Session]:
        """The session of an interaction. Public clients name a session that never existed; Discord
        then answers all sessions of the user."""
        named = self.sessions.find(call.session_id)
        if named and named.account.id == call.user_id:
            return [named]
        return self.sessions.of_user(call.user_id)

    def announce(self, call: Call) -> None:
        """Send INTERACTION_CREATE to the session of the interaction."""
        self._tell_cause(call, "INTERACTION_CREATE", {"id": call.id, "nonce": call.nonce})


def _account(config: Config, user: UserConfig) -> Account:
    return Account(
        user=objects.user(config.id_of(user), user.name, bot=user.bot),
        token=user.token,
        is_bot=user.bot,
        plan=user.plan,
        guild_id=config.guild_of(user),
        channel_id=config.channel_of(user),
    )


def _caused_by(call: Call, user: Json | None) -> Json:
    metadata: Json = {
        "id": call.id,
        "type": call.kind,
        "user": user,
        "authorizing_integration_owners": {"0": call.guild_id},
    }
    if call.kind == 2:
        metadata |= {"name": call.name, "command_type": 1}
        legacy = {"id": call.id, "type": 2, "name": call.name, "user": user}
        return {"interaction_metadata": metadata, "interaction": legacy}
    return {"interaction_metadata": {**metadata, "interacted_message_id": call.message_id}}


def _sole_hearer(message: Json) -> str | None:
    """The user who can see an ephemeral message."""
    if not message["flags"] & EPHEMERAL:
        return None
    metadata = message.get("interaction_metadata") or {}
    user = metadata.get("user") or {}
    return user.get("id")


def _without_content(data: Json) -> Json:
    """The event for a bot without the message content intent."""
    empty: Json = {"content": "", "embeds": [], "attachments": [], "components": []}
    return {**data, **{name: value for name, value in empty.items() if name in data}}
