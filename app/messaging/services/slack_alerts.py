"""What is told in a workspace's Slack channel: over a webhook that may have died, which is noted and shown."""

from __future__ import annotations

from sqlalchemy import select

from app.core.activity import Activity, list_activity
from app.core.db import db, find_row, release_connection
from app.core.errors import ProviderFailed, ValidationFailed
from app.core.jobs import enqueue
from app.core.links import absolute
from app.messaging.models import MessagingSettings
from app.messaging.providers import slack
from app.messaging.providers.slack import SlackFailed
from app.messaging.services import rules

DEAD = "The webhook is gone: Slack answers that it does not exist any more. Make a new one in Slack."


def check_address(text: str) -> str:
    """A webhook as Slack hands it out; refuses anything else, so that nothing is told to strangers."""
    text = text.strip()
    if not text.startswith(f"{slack.HOST}services/") or len(text) > 300 or not text.isascii() or " " in text:
        raise ValidationFailed(f"slack_url: begins with {slack.HOST}services/ and is made in Slack's app settings.",
                               field="slack_url")  # fmt: skip
    return text


def tell_newest(path: str) -> None:
    """Have the newest line of the bell about this page told after the commit, where the workspace has a webhook."""
    if not rules.load().slack_url:
        return
    db.session.flush()
    lines = list_activity(limit=1, url=path)
    if lines:
        enqueue("messaging.tell_slack", unique_key=f"messaging.tell_slack:{lines[0].id}", activity_id=lines[0].id)


def send(activity_id: int) -> None:
    """Tell it now, with no transaction open. ProviderFailed says what was the matter with the webhook."""
    url, line = rules.load().slack_url, find_row(Activity, activity_id)
    if not url or line is None:
        return
    title, detail, path = line.title, line.detail, line.url
    release_connection()
    post(url, title, detail, path)


def post(url: str, title: str, detail: str, path: str) -> None:
    """One message to a webhook; ProviderFailed says what was the matter and whether again could help."""
    line = f"*<{absolute(path)}|{slack.escape(title)}>*"
    try:
        slack.post(url, f"{line}\n{slack.escape(detail)}" if detail else line)
    except SlackFailed as failure:
        text = DEAD if failure.is_dead else failure.message
        raise ProviderFailed(text, retryable=not failure.is_dead) from None


def note_error(text: str) -> None:
    """Keep what was the matter with the webhook, for the settings page; empty: it works."""
    row = db.session.scalars(select(MessagingSettings)).one_or_none()
    if row is not None and row.slack_error != text:
        row.slack_error = text
        db.session.flush()
