"""Which passwords are good enough: long enough, and not among the first that somebody would guess."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from zxcvbn import zxcvbn

from app.accounts.models import Membership, Tenant, User
from app.core.db import db
from app.core.errors import ValidationFailed

MIN_LENGTH = 8
MAX_LENGTH = 256
MIN_SCORE = 1
WORDS = ("Too easy to guess", "Weak", "Fair", "Good", "Strong")
_READ_LENGTH = 72
_LOOK_ALIKES = frozenset("!$%(+<@[{|")
_MAX_LOOK_ALIKES = 2
_estimating = threading.Lock()  # zxcvbn keeps the words about the person in a module of its own while it works


@dataclass(frozen=True)
class Strength:
    """From 0 (the first to be guessed) to 4; `advice` is a sentence, empty for a good one."""

    score: int
    word: str
    advice: str


def check(password: str, *, about: Iterable[str] = (), field: str = "password") -> None:
    """Refuse a password that is too short, too long or easy to guess; `about` is what is known of its owner."""
    if len(password) > MAX_LENGTH:
        _refuse(field, f"must have at most {MAX_LENGTH} characters.")
    if len(password) < MIN_LENGTH:
        _refuse(field, f"must have at least {MIN_LENGTH} characters.")
    found = strength(password, about)
    if found.score < MIN_SCORE:
        _refuse(field, f"is too easy to guess. {found.advice}")


def strength(password: str, about: Iterable[str] = ()) -> Strength:
    """How hard the password is to guess, in a number, a word and advice."""
    missing = MIN_LENGTH - len(password)
    if missing > 0:
        return Strength(0, "Too short", f"{missing} more character{'' if missing == 1 else 's'} at least.")
    known = _words_about(about)
    if password.casefold() in known:
        return Strength(0, WORDS[0], "It is what others know of you.")
    with _estimating:
        result = zxcvbn(_readable(password), user_inputs=sorted(known))
    return Strength(result["score"], WORDS[result["score"]], _advice(result))


def about(user: User) -> tuple[str, ...]:
    """What is known of this person: their e-mail, their name and the names of their workspaces."""
    names = select(Tenant.name).join(Membership, Membership.tenant_id == Tenant.id).where(Membership.user_id == user.id)
    return (user.email, user.name, *db.session.scalars(names.limit(10)))


def _words_about(about: Iterable[str]) -> set[str]:
    """Each text as a whole and its words, in small letters; the product's own name is known to everyone."""
    texts = {text.strip().casefold()[:254] for text in about} | {"parley"}
    words = {word for text in texts for word in re.split(r"[\W_]+", text)}
    return {text for text in texts | words if len(text) > 2}


def _readable(password: str) -> str:
    """As much of the password as zxcvbn may read.

    It tries every letter that a digit or sign may stand for, in all combinations: of 72 such characters that takes
    seconds. Words in disguise use few kinds of signs, so those past two kinds are read as one that stands for nothing.
    """
    text = password[:_READ_LENGTH]
    kinds = list(dict.fromkeys(char for char in text if char in _LOOK_ALIKES))
    surplus = {ord(char): "~" for char in kinds[_MAX_LOOK_ALIKES:]}
    return text.translate(surplus)


def _advice(result: dict[str, Any]) -> str:
    """zxcvbn's own words as one sentence; what only the person's own data gave away, it has no words for."""
    if result["score"] > 2:
        return ""
    warning = result["feedback"]["warning"].rstrip(".")
    if not warning and any(match.get("dictionary_name") == "user_inputs" for match in result["sequence"]):
        warning = "It is close to what others know of you"
    return f"{warning}: add another word or two." if warning else "Add another word or two."


def _refuse(field: str, what: str) -> None:
    shown = {"field": field, "message": f"The password {what}"}
    raise ValidationFailed(f"{field}: {what}", field=field, errors=[shown])
