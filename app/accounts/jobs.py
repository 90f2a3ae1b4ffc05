"""Background work of accounts: mails, and forgetting what ended long ago."""

from __future__ import annotations

from flask import render_template

from app.accounts.services import mails, purge
from app.core import mail
from app.core.db import unit_of_work
from app.core.jobs import Queue, current_job, job
from app.core.schedule import periodic


@job("accounts.send_mail", queue=Queue.CRITICAL, max_attempts=12, timeout=120)
def send_mail(kind_id: str, subject_id: int) -> None:
    """Make the mail now and hand it to the server. One sent twice by a repeated attempt bears the same Message-ID."""
    made = mails.make(kind_id, subject_id)
    running = current_job()
    if made is None or running is None:
        return
    text, html = (render_template(f"mail/{kind_id}.{form}", **made.words) for form in ("txt", "html"))
    mail.send(made.to, made.subject, text, html, message_id=running.id)


@periodic("accounts.purge", every_seconds=6 * 3600)
def purge_ended() -> None:
    """Two units of work, so that neither holds up the other's rows."""
    with unit_of_work():
        purge.purge_sessions()
    with unit_of_work():
        purge.purge_invitations()
