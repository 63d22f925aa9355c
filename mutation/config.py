"""What is tested with what: `targets.toml`."""

from pathlib import Path

import msgspec
from msgspec import Struct

DEFAULT = Path(__file__).with_name("targets.toml")


class Target(Struct, frozen=True, forbid_unknown_fields=True):
    """A module, the tests that should hold it, and the share that has to be caught."""

    module: str
    tests: tuple[str, ...]
    at_least: float = 90.0
    """Per cent of the mutants that are not accepted."""


class Accepted(Struct, frozen=True, forbid_unknown_fields=True):
    """A survivor that may survive. `name` as the report prints it."""

    module: str
    name: str
    reason: str


class Config(Struct, frozen=True, forbid_unknown_fields=True):
    source: str = "src"
    """The folder below which the modules lie."""
    preload: tuple[str, ...] = ()
    """Libraries that are imported once, before anything is forked."""
    target: tuple[Target, ...] = ()
    accepted: tuple[Accepted, ...] = ()


def load(path: Path) -> Config:
    """Read a configuration.

    Raises:
        msgspec.ValidationError: a field is unknown or of the wrong type.
    """
    return msgspec.toml.decode(path.read_bytes(), type=Config)


def path_of(config: Config, module: str) -> Path:
    """The file of a module.

    Raises:
        FileNotFoundError: there is none.
    """
    base = Path(config.source, *module.split("."))
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file():
            return path.resolve()
    raise FileNotFoundError(module)
