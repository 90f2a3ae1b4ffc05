"""The demo workspace's messages: templates, a campaign that goes out, one that waits for its day, people who answer.

Campaigns and answers need somewhere to go to: they are made with the sandbox only, never with an account of one's own.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import urllib3

from app.cdp.queries.segment_pages import load_people, names_by_id
from app.cdp.services import segments
from app.core.clock import in_zone, utc_now
from app.core.config import get_settings
from app.core.db import db, unit_of_work
from app.core.tenancy import current_tenant_id
from app.messaging.queries import campaigns as campaign_queries
from app.messaging.queries import templates as template_queries
from app.messaging.queries import threads as thread_queries
from app.messaging.services import accounts, campaigns, inbound, rules, templates, whatsapp_content
from app.messaging.services.callbacks import INBOUND, Call, Origin
from app.messaging.services.campaign_rules import CampaignIn, VariantIn

_HOME = "Europe/London"  # where those of the first campaign live


@dataclass(frozen=True)
class _Text:
    name: str
    channel: str
    content: str


TEXTS = (
    _Text("Weeknight dal, recipe first", "sms",
          "{first_name|Hello}, tonight: 20-minute dal, everything in one bag. Order by 4, at your door by 6. "
          "https://orchard.example/dal Reply STOP to opt out"),
    _Text("Weeknight dal, price first", "sms",
          "{first_name|Hello}, 8 pounds off your next weeknight box with HELLO8. Any slot from Monday to Friday. "
          "https://orchard.example/box Reply STOP to opt out"),
    _Text("Your box tomorrow", "whatsapp",
          "Hello {first_name|there}, your {company} box comes tomorrow. Write back to change the time. Thank you!"),
)  # fmt: skip
FIRST, LATER = "Weeknight dal: Leeds and Bristol", "Come back for the winter box"
FIRST_TO, LATER_TO = "May be texted in Leeds and Bristol", "Stopped ordering"
OUTCOMES = (*["delivered"] * 12, "undelivered:30005", *["delivered"] * 5, "undelivered:30007")
ANSWERS = ("Do you deliver to LS6 on Sundays?", "Lovely recipe, thank you! Can I have it without coriander?")


def load(user_id: int, work: Callable[[], None]) -> None:
    """Make what is missing; again changes nothing. `work` does the jobs that wait."""
    _write_texts(user_id)
    if not _leaves_nothing() or campaign_queries.count_by_state():
        return
    _submit()
    _spread_outcomes()
    work()
    _make_campaigns(user_id)
    work()
    _let_people_answer()


def _write_texts(user_id: int) -> None:
    if template_queries.list_rows(1, 1).total:
        return
    with unit_of_work():
        for one in TEXTS:
            templates.create(one.name, one.content, channel=one.channel, user_id=user_id)


def _leaves_nothing() -> bool:
    """Whether messages go to the sandbox: a real account is never written by."""
    settings = get_settings()
    is_local = bool(settings.sandbox_url) and settings.twilio_base_url.startswith(settings.sandbox_url.rstrip("/"))
    return is_local and accounts.find_sender("sms") is not None


def _submit() -> None:
    if accounts.find_sender("whatsapp") is None:
        return
    with unit_of_work():
        whatsapp_content.request_approval(templates.get(_template_ids()[TEXTS[2].name]))


def _template_ids() -> dict[str, int]:
    return {row.template.name: row.template.id for row in template_queries.list_rows(1, 100).items}


def _make_campaigns(user_id: int) -> None:
    texts, ids = _template_ids(), {name: key for key, name in names_by_id()}
    if FIRST_TO not in ids or LATER_TO not in ids or any(one.name not in texts for one in TEXTS[:2]):
        return
    start, end = night(utc_now())
    first = CampaignIn(
        FIRST, ids[FIRST_TO], [VariantIn(texts[one.name]) for one in TEXTS[:2]], quiet_start=start, quiet_end=end,
        goal_event="purchase", holdout_percent=10,
    )  # fmt: skip
    later = replace(
        first, name=LATER, segment_id=ids[LATER_TO], variants=first.variants[1:], schedule_at=_in_three_days(),
        quiet_start=None, quiet_end=None,
    )  # fmt: skip
    with unit_of_work():
        campaigns.create(later, user_id=user_id)
        campaigns.launch(campaigns.create(first, user_id=user_id).id, user_id=user_id)


def _spread_outcomes() -> None:
    """Have the sandbox say at once what becomes of each: most arrive, a few do not, nobody is tried for hours."""
    segment_id = {name: key for key, name in names_by_id()}.get(FIRST_TO)
    people = load_people(segments.members_of(segment_id).page(0, 500)) if segment_id else []
    db.session.rollback()
    said = {one.phone: OUTCOMES[n % len(OUTCOMES)] for n, one in enumerate(people) if one.phone}
    url = f"{get_settings().sandbox_url.rstrip('/')}/_control/twilio"
    with suppress(urllib3.exceptions.HTTPError):
        urllib3.request("POST", url, json={"numbers": said}, timeout=10.0, retries=False)


def night(now: datetime) -> tuple[str, str]:
    """The workspace's quiet hours, cut where it is night just now, so that the demo need not wait for the morning."""
    in_force, hour = rules.load(), in_zone(now, _HOME).hour
    begins, ends = int(in_force.quiet_start[:2]), int(in_force.quiet_end[:2])
    if begins > ends and hour >= begins:
        return f"{(hour + 1) % 24:02d}:00", in_force.quiet_end
    if begins > ends and hour < ends:
        return in_force.quiet_start, f"{hour:02d}:00"
    return in_force.quiet_start, in_force.quiet_end


def _in_three_days() -> datetime:
    at = utc_now() + timedelta(days=3)
    return at.replace(hour=10, minute=0, second=0, microsecond=0)


def _let_people_answer() -> None:
    """Two of those who may be texted write back."""
    sender, names = accounts.find_sender("sms"), {name: key for key, name in names_by_id()}
    if sender is None or FIRST_TO not in names or thread_queries.has_threads():
        return
    people = load_people(segments.members_of(names[FIRST_TO]).page(0, len(ANSWERS)))
    origin = Origin(frozenset({current_tenant_id()}), is_shared=False)
    for number, (person, body) in enumerate(zip(people, ANSWERS, strict=False), 1):
        sid = f"SM{current_tenant_id():016x}{number:016x}"
        params = {"From": [person.phone], "To": [sender.address], "Body": [body], "MessageSid": [sid]}
        with unit_of_work():
            inbound.take(Call(INBOUND, "", params, "", utc_now()), origin)
    db.session.rollback()
