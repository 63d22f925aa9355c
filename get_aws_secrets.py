#!/usr/bin/env python3
"""Write .env from .env.template with a secret of AWS Secrets Manager.

    ENV=prod python3 get_aws_secrets.py

`ENV` is dev (the default), staging or prod; the name of the secret is `athena/dev` and so on, or
`ATHENA_SECRET_NAME`. Its value is a JSON object with the names in angle brackets in the template;
names with a question mark are optional. boto3 finds region and credentials. The file is written
atomically with mode 600; on any error an existing .env stays unchanged. Needs boto3:
`pip install "athena-mj[aws]"`.
"""

import json
import os
import re
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ENVIRONMENTS = ("dev", "staging", "prod")
_WANTED = re.compile(r"<([A-Z][A-Z0-9_]*)(\?)?>")


class CannotWrite(Exception):
    """The .env file cannot be written; the message says why."""


def main(folder: Path | None = None) -> int:
    """Write .env; returns 0, or 1 with a message on stderr."""
    folder = folder or Path(__file__).resolve().parent
    try:
        environment = os.environ.get("ENV", "dev")
        if environment not in ENVIRONMENTS:
            raise CannotWrite(f"ENV must be one of {', '.join(ENVIRONMENTS)}, not {environment!r}")
        name = os.environ.get("ATHENA_SECRET_NAME", f"athena/{environment}")
        write(folder, filled(_template(folder), secret(name)))
    except CannotWrite as error:
        print(f"get_aws_secrets: {error}. .env was not touched.", file=sys.stderr)
        return 1
    print(f"Wrote {folder / '.env'} from {name}.")
    return 0


def secret(name: str) -> dict[str, Any]:
    """The values of a secret.

    Raises:
        CannotWrite: it cannot be read, or is not a JSON object.
    """
    try:
        import boto3
        from botocore.exceptions import BotoCoreError, ClientError
    except ImportError as error:
        raise CannotWrite('boto3 is not installed: pip install "athena-mj[aws]"') from error
    try:
        text = boto3.client("secretsmanager").get_secret_value(SecretId=name).get("SecretString")
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "unknown")
        if code == "ResourceNotFoundException":
            raise CannotWrite(f"there is no secret {name!r} in this account and region") from error
        raise CannotWrite(f"AWS refused to give {name!r}: {code}") from error
    except BotoCoreError as error:
        raise CannotWrite(f"AWS cannot be asked: {error}") from error
    try:
        values = json.loads(text or "")
    except ValueError as error:
        raise CannotWrite(f"the secret {name!r} is no JSON") from error
    if not isinstance(values, dict):
        raise CannotWrite(f"the secret {name!r} is no JSON object")
    return values


def filled(template: str, values: Mapping[str, Any]) -> str:
    """The template with its names replaced.

    Raises:
        CannotWrite: a value is missing, or does not fit on one line.
    """
    missing = [name for name, may in _WANTED.findall(_settings(template))
               if not may and values.get(name) in (None, "")]  # fmt: skip
    if missing:
        raise CannotWrite(f"the secret lacks {', '.join(dict.fromkeys(missing))}")
    return "\n".join(_line(line, values) for line in template.split("\n"))


def write(folder: Path, text: str) -> None:
    """Write .env atomically, readable only by its owner.

    Raises:
        CannotWrite: the folder cannot be written to.
    """
    try:
        handle, made = tempfile.mkstemp(prefix=".env.", dir=folder)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(made).chmod(0o600)
        Path(made).replace(folder / ".env")
    except OSError as error:
        raise CannotWrite(f"{folder}: {error.strerror}") from error


def _template(folder: Path) -> str:
    try:
        return (folder / ".env.template").read_text("utf-8")
    except OSError as error:
        raise CannotWrite(f"{folder / '.env.template'}: {error.strerror}") from error


def _settings(template: str) -> str:
    return "\n".join(line for line in template.split("\n") if not line.startswith("#"))


def _line(line: str, values: Mapping[str, Any]) -> str:
    if line.startswith("#"):
        return line
    return _WANTED.sub(lambda found: _value(found[1], values), line)


def _value(name: str, values: Mapping[str, Any]) -> str:
    value = values.get(name)
    text = "" if value is None else str(value)
    if "\n" in text or "\r" in text:
        raise CannotWrite(f"the value of {name} has more than one line")
    return _quoted(text) if re.search(r"[\s#\"'$\\]", text) else text


def _quoted(text: str) -> str:
    """Quote a value for .env. Single quotes keep all as it is; double ones escape `\\` and `"`."""
    if "'" not in text:
        return f"'{text}'"
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


if __name__ == "__main__":
    sys.exit(main())
