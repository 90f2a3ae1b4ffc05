"""Settings, Messaging: the account and senders, when and how often people are written to, prices, alarms, Slack."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Flask, Response, flash, make_response, render_template, request, url_for

from app.accounts.guards import current_tenant, require_permission
from app.core import ratelimit
from app.core.config import get_settings
from app.core.db import release_connection, unit_of_work
from app.core.errors import AppError, Conflict, NotFound, ProviderFailed
from app.core.htmx import go_to
from app.core.links import absolute
from app.messaging import forms
from app.messaging.models import MessageChannel
from app.messaging.services import account_settings, accounts, rules, sender_settings, slack_alerts

bp = Blueprint("messaging_settings_pages", __name__, url_prefix="/app/settings/messaging")
CHANNELS = [(MessageChannel.SMS.value, "SMS"), (MessageChannel.WHATSAPP.value, "WhatsApp")]
USUAL_RATES = (
    ("US or Canadian number", "1"), ("Number of another country", "10"), ("Toll-free number", "3"),
    ("Short code", "100"), ("WhatsApp sender", "80"),
)  # fmt: skip
SECTIONS: dict[str, tuple[Callable[[Any], dict[str, Any]], str]] = {
    "hours": (forms.quiet_hours, "The quiet hours are saved."),
    "caps": (forms.caps, "Saved. It counts for campaigns that start from now on."),
    "prices": (forms.prices, "The prices are saved."),
    "alarms": (forms.alarms, "The alarms are saved."),
    "help": (forms.help_text, "Saved. Whoever writes HELP gets it from now on."),
}
TWILIO = "https://api.twilio.com"


@bp.get("")
@require_permission("messaging.manage")
def show() -> Response:
    return _page()


@bp.post("/account")
@require_permission("messaging.manage")
def connect_account() -> Response:
    """Asks the provider first; nothing is kept that does not work."""
    sid, token = request.form.get("account_sid", "").strip(), request.form.get("auth_token", "").strip()
    try:
        ratelimit.check("account.check", str(current_tenant().id))
        release_connection()
        name = account_settings.check(sid, token)
        with unit_of_work():
            account_settings.connect(sid, token, name)
    except AppError as error:
        return _page("account", error)
    return _back(f"Connected to {name or sid}. Messages leave by it from now on.", "account")


@bp.post("/account/delete")
@require_permission("messaging.manage")
def disconnect_account() -> Response:
    with unit_of_work():
        account_settings.disconnect()
    return _back("The account is forgotten, its token with it.", "account")


@bp.post("/senders")
@require_permission("messaging.manage")
def add_sender() -> Response:
    form = request.form
    try:
        rate = forms.rate(form)
        with unit_of_work():
            row = sender_settings.add(form.get("channel", ""), form.get("address", ""), form.get("label", ""), rate)
            address = row.address
    except AppError as error:
        return _page("sender", error)
    return _back(f"{address} is a sender now.", "senders")


@bp.post("/senders/<int:sender_id>")
@require_permission("messaging.manage")
def change_sender(sender_id: int) -> Response:
    try:
        rate = forms.rate(request.form)
        with unit_of_work():
            sender_settings.change(sender_id, request.form.get("label", ""), rate)
    except NotFound:
        raise
    except AppError as error:
        return _page(f"sender-{sender_id}", error)
    return _back("The sender is saved.", "senders")


@bp.post("/senders/<int:sender_id>/default")
@require_permission("messaging.manage")
def make_default(sender_id: int) -> Response:
    with unit_of_work():
        address = sender_settings.make_default(sender_id).address
    return _back(f"Messages leave from {address} unless a campaign says otherwise.", "senders")


@bp.post("/senders/<int:sender_id>/delete")
@require_permission("messaging.manage")
def remove_sender(sender_id: int) -> Response:
    try:
        with unit_of_work():
            sender_settings.remove(sender_id)
    except NotFound:
        raise
    except AppError as error:
        return _back(error.message, "senders", "warn")
    return _back("The sender is removed.", "senders")


@bp.post("/rules/<any(hours, caps, prices, alarms, help):section>")
@require_permission("messaging.manage")
def save_rules(section: str) -> Response:
    read, said = SECTIONS[section]
    try:
        values = read(request.form)
        with unit_of_work():
            rules.save(**values)
    except AppError as error:
        return _page(section, error)
    return _back(said, section)


@bp.post("/slack")
@require_permission("messaging.manage")
def save_slack() -> Response:
    try:
        url = slack_alerts.check_address(request.form.get("slack_url", ""))
        with unit_of_work():
            rules.save(slack_url=url)
    except AppError as error:
        return _page("slack", error)
    return _back("The webhook is saved. Send a test to see it arrive.", "slack")


@bp.post("/slack/test")
@require_permission("messaging.manage")
def test_slack() -> Response:
    """Posts at once, so that what Slack says is seen at once."""
    url, name = rules.load().slack_url, current_tenant().name
    if not url:
        return _back("There is no webhook to test.", "slack", "warn")
    said = ""
    try:
        ratelimit.check("account.check", str(current_tenant().id))
        release_connection()
        slack_alerts.post(url, f"A test from {name}", "Alarms of campaigns arrive here.", "/app/settings/messaging")
    except ProviderFailed as error:
        said = error.message
    with unit_of_work():
        slack_alerts.note_error(said)
    return _back(said or "Slack took it. Look into the channel.", "slack", "warn" if said else "ok")


@bp.post("/slack/delete")
@require_permission("messaging.manage")
def remove_slack() -> Response:
    with unit_of_work():
        rules.save(slack_url=None)
    return _back("Nothing is told in Slack any more.", "slack")


def _back(message: str, section: str, kind: str = "ok") -> Response:
    flash(message, kind)
    return go_to(f"{url_for('.show')}#{section}")


def _page(section: str = "", error: AppError | None = None) -> Response:
    """With an error: the form again as it was filled in, with what was wrong beside the field."""
    current = rules.load()
    kept = forms.typed_of(current)
    settings = get_settings()
    typed = request.form.to_dict() if error else {}
    page = render_template(
        "messaging/settings.html", rules=current, refused=section, errors=forms.field_errors(error),
        kept=kept, typed=typed, own=account_settings.find_own(), account=_find_account(),
        is_sandbox=settings.twilio_base_url != TWILIO, senders=sender_settings.list_own(), channels=CHANNELS,
        shared=[one for channel, _ in CHANNELS for one in accounts.list_senders(channel) if one.id is None],
        usual_rates=USUAL_RATES, cap_rows=range(forms.CAP_ROWS), addresses=_addresses(),
        is_public=bool(settings.public_url.strip()),
    )  # fmt: skip
    return make_response(page, error.status if error else 200)


def _find_account() -> accounts.Account | None:
    """None for one whose token cannot be read, too: the page tells the two apart by `own`."""
    try:
        return accounts.find_account()
    except Conflict:
        return None


def _addresses() -> list[tuple[str, str, str]]:
    """What to enter at the provider: id, what for, address."""
    return [
        ("inbound", "A message comes in", absolute("/webhooks/inbound")),
        ("status", "Status callback", absolute("/webhooks/status")),
    ]


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)
