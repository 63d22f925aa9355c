"""Configures logging: readable lines, or JSON lines for collectors. Always on stderr."""

import logging
import sys

import structlog

from athena.settings import LogSettings


def set_up(settings: LogSettings) -> None:
    """Send this process's log to stderr in the configured format."""
    level = logging.getLevelNamesMapping()[settings.level]
    renderer: structlog.typing.Processor
    if settings.json_lines:
        renderer = structlog.processors.JSONRenderer()
    else:
        renderer = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
