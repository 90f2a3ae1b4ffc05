"""Mails of accounts: what kinds there are, and asking for one to be sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from app.core import mail
from app.core.jobs import enqueue


@dataclass(frozen=True)
class Mail:
    """To whom, about what, and the words its templates need."""

    to: str
    subject: str
    words: dict[str, Any] = field(default_factory=dict)


Maker = Callable[[int], Mail | None]
_makers: dict[str, Maker] = {}


def kind(name: str) -> Callable[[Maker], Maker]:
    """Register how the mail of this kind is made from the id of what it is about.

    It is made when it is sent, so that the job's row holds no secret; None when there is nothing to say any more.
    Its text is templates/mail/<name>.txt, and the same with .html.
    """

    def register(maker: Maker) -> Maker:
        _makers[name] = maker
        return maker

    return register


def post(name: str, subject_id: int) -> bool:
    """Ask for the mail in the current unit of work; False, and nothing asked, where no mail is set up."""
    if not mail.is_set_up():
        return False
    enqueue("accounts.send_mail", kind_id=name, subject_id=subject_id)
    return True


def make(name: str, subject_id: int) -> Mail | None:
    """The mail of this kind about this row, or None when there is nothing to send."""
    return _makers[name](subject_id)
