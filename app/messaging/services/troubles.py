"""What goes wrong with one campaign: it pauses with the reason (what one that is over would try again waits a while
or has failed), and nobody else hears of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from redis.exceptions import RedisError
from sqlalchemy.exc import DBAPIError, PendingRollbackError, ResourceClosedError

from app.core.db import db, unit_of_work
from app.core.errors import AppError, NotFound
from app.core.logs import get_logger
from app.core.tenancy import tenant_scope
from app.messaging.services import campaigns, retries
from app.messaging.services.callbacks import DATABASE_AWAY

log = get_logger()
AWAY = (*DATABASE_AWAY, PendingRollbackError, ResourceClosedError, RedisError, OSError)
"""The database or the store does not answer: everybody's trouble, and nobody's fault."""
FAULT = (
    "A fault of ours kept it from being sent. Nobody was written to twice and nothing is lost. "
    "Resume it; if it stops again, tell support."
)


@dataclass
class Trouble:
    """Whether there was any."""

    is_there: bool = False


def is_away(error: Exception) -> bool:
    """Whether waiting helps."""
    return isinstance(error, AWAY) or (isinstance(error, DBAPIError) and error.connection_invalidated)


def reason_of(error: Exception, campaign_id: int, fault: str = FAULT) -> str:
    """For people: what an error of the product says itself, or that it is ours; then it is logged."""
    if isinstance(error, AppError):
        return error.message
    log.error("campaign_in_trouble", campaign_id=campaign_id, exc_info=error)
    return fault


@contextmanager
def told(tell: Callable[[Exception], None]) -> Iterator[None]:
    """Whatever goes wrong inside is rolled back and told, and the others go on; what was deleted meanwhile is nothing,
    and a database or store that is away is raised."""
    try:
        yield
    except NotFound:
        db.session.rollback()
    except Exception as error:
        db.session.rollback()
        if is_away(error):
            raise
        tell(error)


@contextmanager
def of_one(campaign_id: int, tenant_id: int) -> Iterator[Trouble]:
    """Pause this campaign for whatever goes wrong inside, and go on after it; a database or store that is away is
    raised. What was being written is rolled back."""
    trouble = Trouble()
    try:
        yield trouble
    except Exception as error:
        db.session.rollback()
        if is_away(error):
            raise
        trouble.is_there = True
        _note(campaign_id, tenant_id, error)


def _note(campaign_id: int, tenant_id: int, error: Exception) -> None:
    reason = reason_of(error, campaign_id)
    try:
        with tenant_scope(tenant_id), unit_of_work():
            campaigns.pause_by_itself(campaign_id, reason)
            retries.meet(campaign_id, error)
    except NotFound:  # deleted meanwhile, with its workspace perhaps
        log.info("campaign_is_gone", campaign_id=campaign_id)
