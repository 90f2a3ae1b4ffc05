"""Structured logs: one line per fact, with the request, tenant, user and job it belongs to."""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog

from app.core.config import get_settings

_SECRET_WORDS = ("password", "secret", "token", "api_key", "authorization", "cookie")


def _hide_secrets(_logger: Any, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Blank out what is named like a secret, also inside what is logged. Numbers stay: token counts are no secret."""
    return {key: _without_secrets(key, value) for key, value in event.items()}


def _without_secrets(key: str, value: Any) -> Any:
    if isinstance(value, dict):
        return {inner: _without_secrets(str(inner), kept) for inner, kept in value.items()}
    if value and not isinstance(value, int | float) and any(word in key.lower() for word in _SECRET_WORDS):
        return "[hidden]"
    return value


def configure() -> None:
    """Set up structlog and pass the standard library's logs through the same line format."""
    settings = get_settings()
    as_json = settings.log_format == "json" or (settings.log_format == "auto" and not sys.stderr.isatty())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _hide_secrets,
    ]
    renderer = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer()
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=settings.environment != "test",  # a second app in one process has its own settings
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level.upper())
    for noisy in ("httpx", "httpx2", "httpcore", "openai", "anthropic", "rq", "alembic", "urllib3"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def get_logger(name: str = "parley") -> structlog.stdlib.BoundLogger:
    """A logger whose keyword arguments become fields."""
    logger: structlog.stdlib.BoundLogger = structlog.get_logger(name)
    return logger


bind = structlog.contextvars.bind_contextvars
clear = structlog.contextvars.clear_contextvars
