"""Buttons of finished tasks: pressing them, and filling in the modals that some of them open."""

from collections.abc import Sequence
from functools import partial

from athena.errors import BadRequest, NotSupported, WrongState
from athena.midjourney import buttons, modals, prompts
from athena.midjourney.buttons import Form
from athena.service import button_actions
from athena.service.admission import Admission
from athena.service.button_actions import ButtonAction
from athena.service.files import FileService
from athena.service.idempotency import IdempotencyKey, IdempotencyKeys
from athena.service.options import Accepted, SubmitOptions
from athena.service.task_queries import TaskQueries
from athena.store.account_directory import AccountStatus
from athena.tasks import lifecycle
from athena.tasks.model import Action, CorrelationIds, Status, Task
from athena.tasks.requests import ModalReply, Press, Upload


class ButtonService:
    """Besides the documented errors, all methods raise

    NoAccount, QueueFull: the account that made the image cannot take it.
    StoreUnavailable: it could not be stored.
    """

    def __init__(
        self,
        queries: TaskQueries,
        admission: Admission,
        keys: IdempotencyKeys,
        files: FileService,
    ) -> None:
        self._queries = queries
        self._admission = admission
        self._keys = keys
        self._files = files

    async def press(
        self,
        task_id: str,
        custom_id: str,
        options: SubmitOptions | None = None,
        *,
        description: str = "",
        remix: bool | None = None,
    ) -> Accepted:
        """Press a button of a finished task. `remix`: whether a modal that Remix opens is to be
        filled in; None leaves it to the account.

        Raises:
            UnknownTask, WrongState, UnknownButton, NotSupported: it cannot be pressed.
        """
        options = options or SubmitOptions()

        async def take() -> Accepted:
            parent, account = await self._parent(task_id)
            auto = account.settings.remix_auto_submit if remix is None else not remix
            profile = account.profile_of(parent.bot)
            action = button_actions.of_button(parent, custom_id, profile, auto_submit=auto)
            return await self._press(account, parent, action, options, description)

        return await self._keys.settle(options.once, Accepted, take)

    async def press_message(
        self,
        trigger: str,
        message_id: str,
        forms: Sequence[Form],
        job: str,
        options: SubmitOptions,
    ) -> Accepted:
        """Press the button of a job that has one of these forms, the first form that is there, on
        the message that shows the image. The message may belong to no task of ours.

        Raises:
            BadRequest: there is no such message.
            WrongState, UnknownButton, NotSupported: it cannot be pressed.
        """
        for task in await self._queries.by_trigger(trigger):
            if task.ids.message == message_id and task.ended:
                custom_id = button_actions.with_form(task.buttons, forms, job)
                return await self.press(task.id, custom_id, options)

        async def take() -> Accepted:
            account, message = await self._files.find_message(message_id)
            custom_id = button_actions.with_form(buttons.shown(message), forms, job)
            action = button_actions.of_message(message, custom_id)
            return await self._press(account, None, action, options, "", message_id)

        return await self._keys.settle(options.once, Accepted, take)

    async def press_numbered(
        self, task_id: str, action: Action, index: int | None, options: SubmitOptions | None = None
    ) -> Accepted:
        """Press a grid's U, V or reroll button. Raises as `press`."""
        parent = await self._queries.finished(task_id)
        description = f"/up {parent.id} {button_actions.short(action, index)}"
        custom_id = button_actions.numbered(parent, action, index)
        return await self.press(task_id, custom_id, options, description=description)

    async def extend(
        self, task_id: str, index: int, motion: str, options: SubmitOptions | None = None
    ) -> Accepted:
        """Extend a video of a finished task; `index` is its place from 0. Raises as `press`."""
        options = options or SubmitOptions()

        async def take() -> Accepted:
            parent, account = await self._parent(task_id)
            action = button_actions.of_video(parent, index, motion)
            description = f"/extend {parent.id} {index}"
            return await self._press(account, parent, action, options, description)

        return await self._keys.settle(options.once, Accepted, take)

    async def confirm(
        self,
        task_id: str,
        prompt: str = "",
        mask: Upload | None = None,
        key: IdempotencyKey | None = None,
    ) -> Accepted:
        """Submit the modal of a MODAL task; an empty prompt leaves what the modal proposes.

        Raises:
            UnknownTask, WrongState: there is no modal to submit.
            BadRequest, BannedWord: its content is not valid; the task stays open.
        """
        take = partial(self._confirm, task_id, prompt, mask, key)
        return await self._keys.settle(key, Accepted, take)

    # Parts of these

    async def _press(
        self,
        account: AccountStatus,
        parent: Task | None,
        action: ButtonAction,
        options: SubmitOptions,
        description: str,
        message: str | None = None,
    ) -> Accepted:
        """Admit a request that only the message's own account can carry out."""
        pressed = parent.id if parent else message
        if action.modal is not None and account.settings.bot_token:
            raise NotSupported("this opens a modal, which a listening bot does not receive")
        task = self._admission.task(
            account,
            action.request,
            action.action,
            options.bound_to(account.id),
            prompt=action.prompt,
            description=description or f"/{action.action.lower()} {pressed}",
            bot=parent.bot if parent else options.bot,
            ids=CorrelationIds(parent_message=parent.ids.message if parent else message),
        )
        if action.modal is None:
            return await self._admission.add(task, (), options.once)
        return await self._admission.add_modal(
            task, action.modal, remix=action.remix, key=options.once
        )

    async def _confirm(
        self, task_id: str, prompt: str, mask: Upload | None, key: IdempotencyKey | None
    ) -> Accepted:
        task = await self._queries.find(task_id)
        if task.status is not Status.MODAL or not isinstance(task.request, Press):
            raise WrongState(f"task {task_id} is {task.status}, not MODAL")
        reply = ModalReply(prompt=prompt.strip(), mask=mask is not None)
        self._check_reply(task.request.custom_id, reply)
        self._admission.account(task.account)
        after = lifecycle.confirm(task, task.request, reply)
        return await self._admission.confirm(task, after, [mask] if mask else [], key)

    def _check_reply(self, custom_id: str, reply: ModalReply) -> None:
        try:
            modals.check(custom_id, reply)
        except prompts.BadPrompt as error:
            raise BadRequest(str(error)) from error
        self._admission.moderate(reply.prompt)

    async def _parent(self, task_id: str) -> tuple[Task, AccountStatus]:
        parent = await self._queries.finished(task_id)
        return parent, self._admission.account(parent.account)
