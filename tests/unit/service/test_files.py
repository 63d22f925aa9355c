"""Files and messages at Discord: which account is asked, and what is remembered."""

import pytest

from athena.discord.wire import Message
from athena.errors import BadRequest, NoAccount, NoAnswer
from athena.service.idempotency import IdempotencyKey
from athena.service.options import SubmitOptions
from athena.tasks.model import AccountFilter, Speed
from tests.unit.fakes import make_task
from tests.unit.service.fakes import Services, status, stopped, upload

KEY = IdempotencyKey("k", "f")


async def test_images_go_through_an_account_that_can(services: Services) -> None:
    services.put(stopped("5"), status("6"))
    links = await services.files.post_images([upload("a.png"), upload("b.png")])
    assert links == ["https://cdn/6/a.png", "https://cdn/6/b.png"]


async def test_the_same_key_brings_images_once(services: Services) -> None:
    services.put(status())
    first = await services.files.post_images([upload()], KEY)
    assert await services.files.post_images([upload()], KEY) == first
    assert services.commands.called == [("post_images", "5")]
    assert services.repository.records["k"].task_id is None


async def test_images_that_discord_does_not_take_are_not_remembered(services: Services) -> None:
    services.put(status())
    services.commands.errors["post_images"] = [NoAnswer("no")]
    with pytest.raises(NoAnswer):
        await services.files.post_images([upload()], KEY)
    assert await services.files.post_images([upload()], KEY)


async def test_it_is_remembered_whose_an_uploaded_file_is(services: Services) -> None:
    services.put(status("5"), status("6"))
    await services.store(make_task(1, "5"))
    name, place = await services.files.upload(upload())
    assert (name, place) == ("6/one.png", "https://uploads/1")
    assert services.repository.files == {"6/one.png": "6"}


async def test_an_uploaded_file_is_posted_by_its_own_account(services: Services) -> None:
    services.put(status("5"), status("6"))
    await services.repository.keep_uploaded_file("one.png", "6", 1)
    assert await services.files.post_uploaded("one.png") == "https://cdn/one.png"
    assert services.commands.called == [("post_uploaded", "6")]
    services.put(stopped("6", "blocked"))
    with pytest.raises(NoAccount, match="blocked"):
        await services.files.post_uploaded("one.png")


async def test_a_file_of_which_nothing_is_known_is_posted_by_any(services: Services) -> None:
    services.put(status("5"))
    await services.files.post_uploaded("one.png")
    assert services.commands.called == [("post_uploaded", "5")]


async def test_a_task_with_an_uploaded_file_is_bound_to_its_account(services: Services) -> None:
    await services.repository.keep_uploaded_file("one.png", "6", 1)
    options = SubmitOptions(speed=Speed.FAST, accounts=AccountFilter(remark="x"))
    assert await services.files.bind("one.png", options) == SubmitOptions(
        speed=Speed.FAST, accounts=AccountFilter(account="6")
    )
    assert await services.files.bind("other.png", options) is options


# Messages


@pytest.fixture
def message(services: Services) -> Message:
    """In the channel of the third account."""
    found = Message(id="50")
    services.commands.messages["7"] = {"50": found}
    services.put(stopped("5"), status("6"), status("7"))
    return found


async def test_a_message_is_looked_for_in_every_account_that_works(
    services: Services, message: Message
) -> None:
    account, found = await services.files.find_message("50")
    assert (account.id, found) == ("7", message)
    assert services.commands.called == [("message", "6"), ("message", "7")]


async def test_a_message_that_nobody_has_is_told_so(services: Services, message: Message) -> None:
    with pytest.raises(BadRequest, match="msg_id: there is no message 51"):
        await services.files.find_message("51")


async def test_an_account_that_could_not_be_asked_does_not_hide_the_others(
    services: Services, message: Message
) -> None:
    services.commands.errors["message"] = [NoAnswer("429")]
    assert (await services.files.find_message("50"))[0].id == "7"


async def test_a_question_without_an_answer_is_not_told_as_no_such_message(
    services: Services, message: Message
) -> None:
    """`Pool.look_up` answered every DiscordError with "there is no message"."""
    services.commands.errors["message"] = [NoAnswer("Discord asks for a pause")]
    with pytest.raises(NoAnswer, match="a pause"):
        await services.files.find_message("51")


async def test_an_account_that_stops_meanwhile_has_no_messages(
    services: Services, message: Message
) -> None:
    services.commands.errors["message"] = [NoAccount("stopped")]
    assert (await services.files.find_message("50"))[0].id == "7"
