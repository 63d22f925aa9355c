"""What administrators change while the server runs: stored, and with precedence over the settings.

Only what was changed is stored, so a new setting still counts for everything else.
"""

import asyncio

from msgspec import Struct
from msgspec.structs import replace

from athena.service.choosing import Chooser, Rule
from athena.settings import Settings
from athena.store.record_kinds import RecordKind, Records
from athena.tasks.model import ImageLinks

_ID = "house"
"""The id under which they are stored; an earlier version chose it."""


class ChangedPreferences(Struct, frozen=True, kw_only=True):
    """As stored; None: as in the settings."""

    rule: Rule | None = None
    links: ImageLinks | None = None


PREFERENCES = RecordKind("preferences", ChangedPreferences)


class Preferences:
    """The current preferences. They set the rule of `chooser`."""

    def __init__(self, records: Records, settings: Settings, chooser: Chooser) -> None:
        self._records = records
        self._settings = settings
        self._chooser = chooser
        self._changing = asyncio.Lock()
        self._changed = next(iter(records.all(PREFERENCES)), ChangedPreferences())
        chooser.rule = self.rule

    @property
    def rule(self) -> Rule:
        """Which account takes a task."""
        return self._changed.rule or Rule(self._settings.choice.rule)

    @property
    def links(self) -> ImageLinks:
        """The kind of image links where neither token nor path says one."""
        return self._changed.links or self._settings.images.links

    async def change(self, *, rule: Rule | None = None, links: ImageLinks | None = None) -> None:
        """Change what is given and differs, from now on and after every start.

        Raises:
            StoreUnavailable: it cannot be kept; nothing has changed.
        """
        async with self._changing:
            changed = self._changed
            if rule and rule is not self.rule:
                changed = replace(changed, rule=rule)
            if links and links is not self.links:
                changed = replace(changed, links=links)
            await asyncio.to_thread(self._records.put, PREFERENCES, _ID, changed)
            self._changed = changed
            self._chooser.rule = self.rule
