"""How a sum of money lands with a persona, the same whenever it is asked."""

from __future__ import annotations

import re

from app.ai.providers.builtin.talk.data import pattern, table
from app.ai.providers.builtin.talk.sheet import Sheet
from app.ai.providers.builtin.talk.text import share_of

MOODS = {"cheap": "yes", "yes": "yes", "maybe": "maybe", "no": "no"}
_MONTHS = {
    "day": 30.0,
    "week": 4.3,
    "month": 1.0,
    "year": 1 / 12,
    "annually": 1 / 12,
    "yearly": 1 / 12,
    "weekly": 4.3,
    "monthly": 1.0,
}


def ceiling(sheet: Sheet) -> float:
    """The most this person would pay in one go, or in a month for something monthly, in whole currency units."""
    known = _known_sum(sheet)
    ease = 1.25 - 0.5 * sheet.price_care + 0.3 * (share_of(sheet.name, "purse") - 0.5)
    if known:
        return known * ease * 1.15
    monthly = (sheet.yearly_income or 48_000) / 12
    return monthly * _share_of_income(sheet) * ease


def _known_sum(sheet: Sheet) -> float | None:
    """A price or spend the persona's own facts or the brief names, else None."""
    texts = [fact.text for fact in sheet.of("budget", "shopping")] + [
        sheet.brief.get("business_description", ""),
        sheet.brief.get("additional_info", ""),
    ]
    for text in texts:
        found = re.search(r"[$£€]\s?(\d[\d,]*(?:\.\d+)?)(k?)", text, re.I)
        if found and not pattern(r"\b(?:million|revenue|turnover|raised|funding|earn\w*|income)\b").search(text):
            known = float(found.group(1).replace(",", "")[:9]) * (1000 if found.group(2) else 1)
            return known / 12 if pattern(r"\b(?:a|per|each) year\b|\bannual").search(text) else known
    return None


def _share_of_income(sheet: Sheet) -> float:
    text = " ".join(sheet.brief.values()).lower()
    for entry in table("themes")["price_scale"]:
        if pattern(entry["words"]).search(text):
            return float(entry["share"])
    return 0.03


def verdict(sheet: Sheet, amount: float, question: str = "") -> str:
    """`cheap`, `yes`, `maybe` or `no`. A higher sum never lands better than a lower one."""
    period = pattern(r"\b(?:a|per|each|every|/) ?(day|week|month|year)\b|\b(annually|yearly|weekly|monthly)\b").search(
        question
    )
    spread = _MONTHS[(period.group(1) or period.group(2)).lower()] if period else 1.0
    weight = amount * spread / max(ceiling(sheet), 0.01)
    if weight <= 0.25:
        return "cheap"
    return "yes" if weight <= 0.85 else "maybe" if weight <= 1.35 else "no"
