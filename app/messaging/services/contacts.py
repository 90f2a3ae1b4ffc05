"""Contacts: the people of a workspace who have a phone number, as the messaging contract speaks of them.

A contact is a profile of customer data; its attributes are the profile's traits. Nothing of it is kept here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from app.accounts.services import audit
from app.cdp import personal_data
from app.cdp.queries import contacts as people
from app.cdp.services import consent, evaluation, identity, ingestion, profiles
from app.cdp.services.bulk import lock_people
from app.cdp.services.conditions import Group
from app.cdp.services.conditions.people import ConsentIs, IdentifierIs
from app.cdp.services.identity_rules import load_rules
from app.core.clock import utc_now
from app.core.db import after_commit
from app.core.errors import Conflict, NotFound
from app.core.paging import Page
from app.messaging.queries import contacts as queries
from app.messaging.services import contact_rows, gate_closing, opt_outs, suppressions
from app.messaging.services.contact_words import (
    ANSWERS,
    CHANNEL,
    ConsentWord,
    Refusal,
    read_word,
    shown,
    source_of,
    state_of,
    word_of,
)

T = TypeVar("T")
NOBODYS = "a number nobody is known by yet"


@dataclass(frozen=True)
class Contact:
    """A person with a number, and what they agreed to on the SMS channel."""

    profile_id: int
    phone: str
    created_at: datetime
    consent: ConsentWord
    consent_at: datetime | None
    attributes: dict[str, Any]
    last_received_at: datetime | None


def list_contacts(word: ConsentWord | None, page: int, per_page: int) -> Page[Contact]:
    """Contacts, newest first; with `word` only those it is true of. A page costs five statements."""
    answers = ANSWERS[word] if word else None
    ids = people.list_ids(answers, page, per_page)
    return Page(_contacts(ids), _count(answers), page, per_page)


def _count(answers: people.Answers | None) -> int:
    """Counted row by row while they are few; past 50,000 in the index, which is a moment late.

    The index does not know where a word came from: those who opted out are told from those who said STOP row by row.
    """
    counted = people.count(answers, None if answers and answers.source else people.MOST_COUNTED + 1)
    if (answers and answers.source) or counted <= people.MOST_COUNTED:
        return counted
    reachable = IdentifierIs("phone")
    said = ConsentIs(answers.channel, answers.state) if answers else reachable
    return len(evaluation.evaluate(Group("and", (said, reachable))))


def _contacts(ids: list[int], phone: str = "") -> list[Contact]:
    said, last = people.said_on(CHANNEL, ids), queries.last_received(people.holders_of(ids))
    return [
        Contact(row.id, phone or row.phone, row.created_at, word_of(said.get(row.id)),
                said[row.id].at if row.id in said else None, row.traits, last.get(row.id))
        for row in people.load(ids)
    ]  # fmt: skip


def get_contact(text: str) -> Contact:
    """The contact with this number, written with or without its plus; NotFound when nobody has it."""
    phone, profile_id = _find(text)
    return _contacts([profile_id], phone)[0]


def _find(text: str) -> tuple[str, int]:
    number = f"+{text}" if text.isdecimal() and text.isascii() else text
    phone = _checked(lambda: contact_rows.read_phone(number, load_rules()))
    known = identity.find_known([("phone", phone)], utc_now())
    if not known:
        raise NotFound(f"User with phone {phone} not found")
    return phone, known["phone", phone].profile_id


def create(raw: dict[str, Any], evidence: dict[str, Any]) -> Contact:
    """A contact with a number nobody has yet; Conflict when somebody has it. To be done in `ingestion.in_turns`."""
    rules, now = load_rules(), utc_now()
    row = _checked(lambda: contact_rows.clean(raw, rules, now))
    lock_people()  # two who create the same number at once: the second one finds it
    if identity.find_known([("phone", row.phone)], now):
        raise Conflict(f"User with phone {row.phone} already exists", field=contact_rows.PHONE,
                       provided=shown(raw[contact_rows.PHONE]), expected=NOBODYS)  # fmt: skip
    ingestion.accept([row.person], rules, now, source="messaging api")
    owner = identity.find_known([("phone", row.phone)], now).get(("phone", row.phone))
    if owner is None:  # an e-mail address among the attributes is of somebody who has all the numbers one may have
        message = "The e-mail address among the attributes is of somebody with too many numbers"
        email = shown(row.person.traits.get("email"))
        raise Conflict(message, field="attributes", provided=email, expected=NOBODYS)
    if row.word:
        _say(owner.profile_id, row.phone, row.word, evidence)
    audit.record("contact.created", label=f"Profile {owner.profile_id}")
    return _contacts([owner.profile_id], row.phone)[0]


def change(text: str, raw: dict[str, Any], evidence: dict[str, Any]) -> Contact:
    """Set the attributes given, remove those that are null, note what the person agreed to; the rest stays."""
    phone, profile_id = _find(text)
    attributes = _checked(lambda: contact_rows.read_attributes(raw.get("attributes")))
    word = _checked(lambda: read_word(raw.get("consent_state")))
    if attributes:
        profiles.change_traits(profile_id, attributes)
    if word:
        _say(profile_id, phone, word, evidence)
    return _contacts([profile_id], phone)[0]


def _say(profile_id: int, phone: str, word: ConsentWord, evidence: dict[str, Any]) -> None:
    """Note an explicit word. One that is in force already is not noted again."""
    before = people.said_on(CHANNEL, [profile_id]).get(profile_id)
    if word_of(before) != word:
        consent.record(profile_id, CHANNEL, state_of(word), source_of(word, "api"), evidence)
        audit.record("contact.consent_changed", label=f"Profile {profile_id}",
                     before={"consent_state": word_of(before)}, after={"consent_state": word})  # fmt: skip
    places, now = opt_outs.places_of(profile_id, phone), utc_now()
    if word == ConsentWord.OPT_IN:
        suppressions.lift_stops(CHANNEL, [phone])
        after_commit(lambda: gate_closing.open_gates(places, CHANNEL, now))
    else:
        after_commit(lambda: gate_closing.close_gates(places, CHANNEL, now))


def delete(text: str) -> str:
    """Erase the person with this number and everything known of them; returns the number.

    A no of theirs is remembered by the number alone, and what they were sent stays without number and text.
    """
    phone, profile_id = _find(text)
    personal_data.erase(profile_id)
    return phone


def _checked(read: Callable[[], T]) -> T:
    try:
        return read()
    except Refusal as error:
        raise error.as_failure() from None
