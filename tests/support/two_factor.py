"""Two-factor as its owner has it: an app that shows codes, and the codes on paper."""

from __future__ import annotations

import time
from dataclasses import dataclass

import pyotp

CODE = "/api/v1/mfa"


@dataclass(frozen=True)
class Phone:
    """An authenticator app with one account in it, and the backup codes that came with it."""

    secret: str
    backup_codes: list[str]

    def code(self, later: int = 0) -> str:
        """The code of `later` half minutes from now."""
        return pyotp.TOTP(self.secret).at(int(time.time()) + 30 * later)


def start(client) -> Phone:
    """Ask for a secret; nothing is in force yet."""
    answer = client.post(f"{CODE}/enable")
    assert answer.status_code == 200, answer.text
    return Phone(answer.json["secret"], answer.json["backup_codes"])


def turn_on(client) -> Phone:
    """Two-factor in force; the code of this half minute is spent, the next is not."""
    phone = start(client)
    answer = client.post(f"{CODE}/verify", json={"code": phone.code()})
    assert answer.status_code == 200, answer.text
    return phone


def let_time_pass(app, user_id: int) -> None:
    """As if the last code had been used long ago."""
    from app.accounts.models import TotpSecret
    from app.core.db import db, unit_of_work

    with app.app_context(), unit_of_work():
        db.session.get_one(TotpSecret, user_id).last_step = 0
