"""What a task's fields are called on disk. Databases and backups hold these names: a field may be
renamed, its stored name may not."""

from msgspec import structs

from athena.tasks.model import AccountFilter, CorrelationIds, Image, Task


def test_the_stored_names_of_a_task() -> None:
    assert {each.encode_name for each in structs.fields(Task)} == {
        "id", "account", "accounts", "request", "action", "bot", "status", "sending", "revision",
        "prompt", "description", "state", "hook", "dialect", "trigger", "speed", "images",
        "images_host", "token", "submitted_at", "started_at", "finished_at", "patience", "relaxed",
        "deadline", "progress", "picture", "buttons", "failure", "keys", "content",
        "final_prompt", "mode", "flags", "prompt_english", "words_translated", "note", "seed",
        "cancel_job", "removed", "tries", "not_before",
    }  # fmt: skip


def test_the_stored_names_of_its_parts() -> None:
    names = [
        [each.encode_name for each in structs.fields(kind)]
        for kind in (CorrelationIds, Image, AccountFilter)
    ]
    assert names == [
        ["nonce", "interaction", "message", "progress_message", "job", "parent_message"],
        ["url", "id", "proxy_url", "filename", "width", "height", "size", "content_type"],
        ["account", "channel", "modes", "remark", "remix", "niji_remix", "remix_auto_submit"],
    ]
