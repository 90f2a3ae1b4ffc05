"""WhatsApp texts on their way to approval."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from app.core.clock import utc_now
from app.core.db import db, unit_of_work
from app.core.errors import Conflict
from app.core.jobs import Queue, enqueue, job
from app.core.logs import get_logger
from app.core.schedule import periodic
from app.core.tenancy import tenant_scope
from app.messaging.models import TemplateVersion
from app.messaging.providers.base import SendFailed
from app.messaging.queries import templates as queries
from app.messaging.services import whatsapp_content

log = get_logger()
APPROVED_AGAIN = timedelta(days=1)  # WhatsApp may pause a text it had approved


def _not_submitted(error: str, version_id: int) -> None:
    whatsapp_content.give_back(version_id, f"It could not be handed over: {error}")


@job("messaging.submit_template", max_attempts=4, on_failure=_not_submitted)
def submit_template(version_id: int) -> None:
    """Register the text and ask for its approval; run again, it goes on where it stopped."""
    whatsapp_content.submit(version_id)


@job("messaging.check_templates", queue=Queue.BULK, timeout=900)
def check_templates() -> None:
    """Ask about each text that waits; one that cannot be asked about waits for the next round."""
    with unit_of_work():
        waiting = [version.id for version in queries.list_to_check(utc_now() - APPROVED_AGAIN)]
    for version_id in waiting:
        try:
            whatsapp_content.check(version_id)
        except SendFailed as error:
            log.warning("template_not_checked", version_id=version_id, reason=error.message)
            if error.error_class in whatsapp_content.TRY_AGAIN:
                return
        except Conflict:  # no account is connected any more
            return


@periodic("messaging.check_templates", every_seconds=60, queue=Queue.BULK)
def check_everywhere() -> None:
    """Across tenants: those with a text that waits get a job each."""
    waiting = queries.waiting(utc_now() - APPROVED_AGAIN)
    tenant_ids = list(db.session.scalars(select(TemplateVersion.tenant_id).where(waiting).distinct()))
    db.session.rollback()
    for tenant_id in tenant_ids:
        with tenant_scope(tenant_id), unit_of_work():
            enqueue("messaging.check_templates", unique_key="messaging.check_templates")
