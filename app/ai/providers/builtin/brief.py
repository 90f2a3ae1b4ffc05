"""Reading a brief: free text in, plain facts out (ages, pay, places, kind of buyer), whatever was typed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.ai.providers.builtin.places import Place, find_places

FIELDS = ("name", "website", "business_description", "industry", "customers", "location", "age_range",
          "income_level", "core_need", "additional_info")  # fmt: skip
READ_AT_MOST = 6000
_TAG = re.compile(r"<[^<>]{0,400}>")
_UNSAFE = re.compile(r"[<>`*_\[\]{}|\\#~\x00-\x1f\x7f]+")
_NOT_A_BRAND = re.compile(
    r"\b(audience|segment|target|test|persona|customers?|untitled|campaign|example|demo)s?\b", re.I
)
_GENERATIONS = {"gen z": (18, 29), "millennial": (30, 45), "gen x": (46, 61), "boomer": (62, 80),
                "student": (18, 25), "young adult": (18, 30), "adult": (18, 75), "teen": (16, 19),
                "senior": (65, 85), "retire": (62, 85), "middle age": (40, 59), "young": (18, 34), "older": (55, 80)}  # fmt: skip
_LEVELS = (
    ("upper middle", (70_000, 160_000)), ("upper-middle", (70_000, 160_000)), ("lower middle", (28_000, 62_000)),
    ("lower-middle", (28_000, 62_000)), ("middle to high", (55_000, 400_000)), ("mid to high", (55_000, 400_000)),
    ("middle-high", (55_000, 400_000)), ("low to middle", (20_000, 90_000)), ("low to mid", (20_000, 90_000)),
    ("very high", (150_000, 400_000)), ("ultra", (150_000, 400_000)), ("wealthy", (130_000, 400_000)),
    ("affluent", (110_000, 400_000)), ("rich", (130_000, 400_000)), ("high", (100_000, 400_000)),
    ("six figure", (100_000, 400_000)), ("low", (18_000, 46_000)), ("tight", (18_000, 46_000)),
    ("middle", (42_000, 110_000)), ("mid", (42_000, 110_000)), ("average", (35_000, 95_000)), ("modest", (22_000, 60_000)),
)  # fmt: skip


@dataclass(frozen=True)
class Pay:
    """What the brief says of income; `low` and `high` are a year, in the currency whose sign it bears."""

    low: int
    high: int
    currency: str
    household: bool
    said: str


@dataclass(frozen=True)
class Brief:
    raw: Mapping[str, str]
    ages: tuple[int, int] | None
    pay: Pay | None
    places: tuple[Place, ...]

    def words(self, field: str) -> str:
        return self.raw[field]

    @property
    def brand(self) -> str:
        """The business's name as the brief gives it, or empty when the name is only a label for the audience."""
        name = self.raw["name"]
        return "" if not name or _NOT_A_BRAND.search(name) else clip(name, 60)

    @property
    def need(self) -> str:
        """The core need as a short phrase without a full stop, or empty."""
        return clip(self.raw["core_need"], 120).rstrip(" .!;,")

    @property
    def is_empty(self) -> bool:
        return not any(self.raw[f] for f in ("business_description", "industry", "name", "core_need", "customers"))


def read_brief(given: Any) -> Brief:
    """Take any mapping, or nothing at all, as a brief; never raises on what a field holds."""
    given = given if isinstance(given, Mapping) else {}
    raw = {name: clean(given.get(name)) for name in FIELDS}
    ages = read_ages(raw["age_range"]) or _ages_in_passing(f"{raw['customers']} {raw['business_description']}")
    return Brief(raw, ages, read_pay(raw["income_level"]), find_places(raw["location"]))


def _ages_in_passing(text: str) -> tuple[int, int] | None:
    """Ages said elsewhere in so many words: "over 50s", "aged 18-25", "under 30"; other numbers are not ages."""
    found = re.search(r"\b(?:over|under|aged?|ages|above|below) (?:the age of )?\d{2}(?:\s?(?:-|–|to)\s?\d{2})?(?=s?\b)(?![,.]?\d)"
                      r"(?! (?:employees|staff|people|countries|stores|years of|dollars|percent))", text, re.I)  # fmt: skip
    return read_ages(found[0]) if found else None


def clean(value: object) -> str:
    """One line of plain text: markup and control characters gone, length held."""
    text = value if isinstance(value, str) else "" if value is None else str(value)
    text = unicodedata.normalize("NFC", text[:READ_AT_MOST]).encode("utf-8", "ignore").decode("utf-8")
    return " ".join(_UNSAFE.sub(" ", _TAG.sub(" ", text)).split())


def clip(text: str, limit: int) -> str:
    """The text cut at a word, with a mark where it was cut."""
    if len(text) <= limit:
        return text
    return text[:limit].rsplit(" ", 1)[0].rstrip(" ,;:.-") + "…"


def read_ages(text: str) -> tuple[int, int] | None:
    """A range of years from "25-45", "over 50", "Gen Z" ...; None when nothing is said or only children are named."""
    low_text = text.lower()
    numbers = [int(n) for n in re.findall(r"\d{1,3}", low_text) if 0 < int(n) <= 110]
    if len(numbers) >= 2 and max(numbers) >= 16:
        return _ages(min(numbers), max(numbers))
    if len(numbers) == 1 and numbers[0] >= 16:
        return _open_range(numbers[0], low_text)
    spans = [span for word, span in _GENERATIONS.items() if word in low_text]
    return _ages(min(s[0] for s in spans), max(s[1] for s in spans)) if spans else None


def _open_range(age: int, text: str) -> tuple[int, int]:
    if re.search(r"\b(under|below|up to|less|younger|max)\b|<|-\s*\d", text):
        return _ages(16, age)
    if re.search(r"\b(over|above|from|older|more|at least|plus)\b|\+|>", text):
        return _ages(age, 85)
    return _ages(age - 5, age + 5)


def _ages(low: int, high: int) -> tuple[int, int]:
    """Personas are 16 to 90: children are spoken for by those who buy for them."""
    low = min(max(low, 16), 90)
    return low, max(low, min(high, 90))


def read_pay(text: str) -> Pay | None:
    """An income level in words or figures as a yearly range; None when nothing is said."""
    low_text = text.lower()
    household = "household" in low_text or "family" in low_text
    currency = next((sign for sign in ("£", "€", "₹", "$") if sign in text), "")
    amounts = _amounts(low_text)
    if len(amounts) >= 2:
        return Pay(min(amounts), max(amounts), currency, household, clip(text, 60))
    if amounts:
        low, high = _open_pay(amounts[0], low_text)
        return Pay(low, high, currency, household, clip(text, 60))
    spans = [span for word, span in _LEVELS if word in low_text][:1]
    return Pay(*spans[0], currency, household, clip(text, 60)) if spans else None


def _amounts(text: str) -> list[int]:
    found: list[int] = []
    thousands = bool(re.search(r"\d\s*k\b", text))
    for number, unit in re.findall(r"(\d[\d,.]*)\s*(k|m|million)?\b", text):
        digits = number.replace(",", "").rstrip(".")
        if digits.count(".") > 1 or re.search(r"\.\d{3}$", digits):
            digits = digits.replace(".", "")
        amount = float(digits) * {"k": 1000, "m": 1_000_000, "million": 1_000_000}.get(unit, 1)
        if thousands and amount < 1000:
            amount *= 1000
        if 5_000 <= amount <= 50_000_000:
            found.append(int(amount))
    return found


def _open_pay(amount: int, text: str) -> tuple[int, int]:
    if re.search(r"\b(under|below|up to|less|max)\b|<", text):
        return min(16_000, amount), amount
    if re.search(r"\b(over|above|from|more|at least|plus|minimum)\b|\+|>", text):
        return amount, max(400_000, amount * 3)
    return int(amount * 0.8), int(amount * 1.25)
