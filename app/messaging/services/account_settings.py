"""A workspace's own account at the provider: checked before it is kept, its token never shown again."""

from __future__ import annotations

import re

from sqlalchemy import select

from app.accounts.services import audit
from app.core.clock import utc_now
from app.core.db import db
from app.core.errors import ValidationFailed
from app.messaging.models import MessagingAccount
from app.messaging.providers.base import ErrorClass, SendFailed
from app.messaging.providers.registry import provider_for

_SID = re.compile(r"AC[0-9a-f]{32}")
_TOKEN = re.compile(r"[!-~]{16,100}")


def find_own() -> MessagingAccount | None:
    """The acting tenant's own account."""
    return db.session.scalars(select(MessagingAccount)).one_or_none()


def check(account_sid: str, auth_token: str) -> str:
    """The account's name, asked of the provider itself: with no transaction open. ValidationFailed when it refuses."""
    if not _SID.fullmatch(account_sid):
        raise ValidationFailed("account_sid: begins with AC, with 32 digits and letters a to f behind.",
                               field="account_sid")  # fmt: skip
    if not _TOKEN.fullmatch(auth_token):
        raise ValidationFailed("auth_token: enter the account's token, as the console shows it.", field="auth_token")
    try:
        return provider_for(account_sid, auth_token).verify()
    except SendFailed as failure:
        if failure.error_class in (ErrorClass.CREDENTIALS, ErrorClass.SUSPENDED):
            text = "auth_token: Twilio does not accept these. Copy both again from its console."
            raise ValidationFailed(text, field="auth_token") from None
        text = f"account_sid: Twilio could not be asked, so nothing was saved. {failure.message}"
        raise ValidationFailed(text, field="account_sid") from None


def connect(account_sid: str, auth_token: str, name: str) -> MessagingAccount:
    """Keep a checked account; from now on everything leaves by it."""
    row = find_own()
    if row is None:
        row = MessagingAccount(account_sid=account_sid, auth_token=auth_token)
        db.session.add(row)
    row.account_sid, row.auth_token, row.checked_at, row.error = account_sid, auth_token, utc_now(), ""
    db.session.flush()
    audit.record("messaging.account_connected", row, after={"account": account_sid}, label=name or account_sid)
    return row


def disconnect() -> None:
    """Forget the account and its token; messages leave by the installation's again, where it has one."""
    row = find_own()
    if row is not None:
        audit.record("messaging.account_removed", row, before={"account": row.account_sid}, label=row.account_sid)
        db.session.delete(row)
        db.session.flush()
