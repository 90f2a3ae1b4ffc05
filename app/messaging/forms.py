"""Forms of the settings: texts of fields into values, refused by the field's own name."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from app.core.errors import AppError, ValidationFailed
from app.messaging.services.rules import Rules

CAP_ROWS = 4
MICROS = 1_000_000
_RENAMED = {"quiet_hours_start": "quiet_start", "quiet_hours_end": "quiet_end"}  # as the contract names them


def field_errors(error: AppError | None) -> dict[str, str]:
    """The sentence for the field that was not acceptable, else one for the whole form."""
    if error is None:
        return {}
    named = str(error.details.get("field") or "form")
    field = _RENAMED.get(named, named)
    text = error.message.removeprefix(f"{named}: ").replace("quiet_hours_start", "the beginning")
    return {field: text[:1].upper() + text[1:]}


def quiet_hours(form: Mapping[str, str]) -> dict[str, Any]:
    return {
        "quiet_start": form.get("quiet_start", "")[:5], "quiet_end": form.get("quiet_end", "")[:5],
        "keeps_us_hours": form.get("keeps_us_hours") == "on",
    }  # fmt: skip


def caps(form: Mapping[str, str]) -> dict[str, Any]:
    """A row without a number is none."""
    rows = []
    for place in range(CAP_ROWS):
        if form.get(f"most-{place}", "").strip():
            rows.append({
                "channel": form.get(f"channel-{place}", ""), "most": _whole(form, f"most-{place}"),
                "days": _whole(form, f"days-{place}"),
            })  # fmt: skip
    return {"caps": rows}


def prices(form: Mapping[str, str]) -> dict[str, Any]:
    """Typed in the currency, kept as millionths of it."""
    found = {name: round(_decimal(form, name) * MICROS) for name in ("sms", "whatsapp")}
    return {"prices": {"currency": form.get("currency", "").strip()[:3]} | found}


def alarms(form: Mapping[str, str]) -> dict[str, Any]:
    return {
        "alarm_percent": float(_decimal(form, "alarm_percent")), "alarm_least": _whole(form, "alarm_least"),
        "alarm_pauses": form.get("alarm_pauses") == "on",
    }  # fmt: skip


def help_text(form: Mapping[str, str]) -> dict[str, Any]:
    return {"help_text": form.get("help_text", "").strip()}


def rate(form: Mapping[str, str]) -> float:
    return float(_decimal(form, "rate"))


def typed_of(rules: Rules) -> dict[str, Any]:
    """What the fields show before anybody has typed."""
    found: dict[str, Any] = {
        "quiet_start": rules.quiet_start, "quiet_end": rules.quiet_end,
        "keeps_us_hours": "on" if rules.keeps_us_hours else "", "currency": rules.prices.currency,
        "sms": in_currency(rules.prices.sms), "whatsapp": in_currency(rules.prices.whatsapp),
        "alarm_percent": f"{rules.alarm_percent:g}", "alarm_least": str(rules.alarm_least),
        "alarm_pauses": "on" if rules.alarm_pauses else "", "help_text": rules.help_text,
    }  # fmt: skip
    for place, cap in enumerate(rules.caps[:CAP_ROWS]):
        found |= {f"channel-{place}": cap.channel, f"most-{place}": str(cap.most), f"days-{place}": str(cap.days)}
    return found


def in_currency(micros: int) -> str:
    """`0.0083`."""
    text = f"{Decimal(micros) / MICROS:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _whole(form: Mapping[str, str], name: str) -> int:
    value = _decimal(form, name)
    if value != value.to_integral_value():
        raise ValidationFailed(f"{name}: enter a whole number.", field=name)
    return int(value)


def _decimal(form: Mapping[str, str], name: str) -> Decimal:
    text = form.get(name, "").strip().replace(",", ".")
    try:
        value = Decimal(text) if len(text) <= 20 else None
    except InvalidOperation:
        value = None
    if value is None or not value.is_finite() or abs(value) > 1_000_000_000:
        raise ValidationFailed(f"{name}: enter a number.", field=name)
    return value
