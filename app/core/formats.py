"""How numbers, money, times and names are written for people, as plain functions and Jinja filters."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING
from zlib import crc32

from app.core.clock import utc_now

if TYPE_CHECKING:
    from flask import Flask

NBSP = "\u00a0"
SYMBOLS = {"GBP": "£", "USD": "$", "EUR": "€", "JPY": "¥", "INR": "₹", "CAD": "CA$", "AUD": "A$"}
WITHOUT_MINOR_UNITS = frozenset({"JPY", "KRW", "VND", "CLP", "ISK"})
STEPS = ((10**12, "tn"), (10**9, "bn"), (10**6, "m"), (10**3, "k"))
BYTE_UNITS = ("B", "KB", "MB", "GB", "TB")
HUES = 5
ABSENT = "–"


def number(value: float | Decimal | None, digits: int = 0) -> str:
    """`12345.6` as `12,346`: thousands separators, rounded half up; a dash for None."""
    if value is None:
        return ABSENT
    quantum = Decimal(1).scaleb(-digits)
    rounded = Decimal(str(value)).quantize(quantum, rounding=ROUND_HALF_UP)
    return f"{abs(rounded) if rounded == 0 else rounded:,}"


def compact(value: float | None) -> str:
    """`5_210_000` as `5.2 m`; below ten thousand the whole number, since nothing is saved."""
    if value is None:
        return ABSENT
    if abs(value) < 10_000:
        return number(value)
    size, unit = next((size, unit) for size, unit in reversed(STEPS) if abs(value) < size * 999.5 or unit == "tn")
    scaled = value / size
    return f"{number(scaled, 1 if abs(scaled) < 100 else 0).removesuffix('.0')}{NBSP}{unit}"


def percent(value: float | None, digits: int = 0, *, of_one: bool = False) -> str:
    """`34` as `34 %`; with `of_one`, 0.34 is what comes in."""
    if value is None:
        return ABSENT
    text = number(value * 100 if of_one else value, digits)
    return f"{text}{NBSP}%"


def money(minor: int | None, currency: str = "USD", *, whole: bool = False) -> str:
    """Minor units as `£18,420.50`; `whole` leaves the pence out."""
    if minor is None:
        return ABSENT
    digits = 0 if currency in WITHOUT_MINOR_UNITS else 2
    amount = Decimal(minor).scaleb(-digits)
    text = number(abs(amount), 0 if whole else digits)
    symbol = SYMBOLS.get(currency, f"{currency}{NBSP}")
    return f"{'−' if amount < 0 else ''}{symbol}{text}"


def cost(micros: int | None) -> str:
    """Millionths of a US dollar as a model's price: `$0.011`, `$1.24`, `free`, or a dash when unknown."""
    if micros is None:
        return ABSENT
    if micros == 0:
        return "free"
    if micros < 500:
        return "under $0.001"
    return f"${number(Decimal(micros) / 1_000_000, 2 if micros >= 1_000_000 else 3)}"


def filesize(size: int | None) -> str:
    """`1_536` as `1.5 KB`, in steps of 1,024."""
    if size is None:
        return ABSENT
    scaled = float(size)
    for unit in BYTE_UNITS:
        if scaled < 1024 or unit == BYTE_UNITS[-1]:
            break
        scaled /= 1024
    return f"{number(scaled, 0 if unit == 'B' or scaled >= 100 else 1).removesuffix('.0')}{NBSP}{unit}"


def duration(milliseconds: float | None) -> str:
    """`840` as `0.8 s`, `14_000` as `14 s`, `80_000` as `1 min 20 s`, `7_500_000` as `2 h 5 min`."""
    if milliseconds is None:
        return ABSENT
    seconds = milliseconds / 1000
    if seconds < 9.95:
        return f"{number(seconds, 1)}{NBSP}s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [(hours, "h"), (minutes, "min"), (0 if hours else rest, "s")]
    return " ".join(f"{amount}{NBSP}{unit}" for amount, unit in parts if amount)


def plural(count: int, one: str, many: str = "") -> str:
    """`3 personas`, `1 persona`; `many` for words that do not just take an s."""
    return f"{number(count)}{NBSP}{one if count == 1 else many or one + 's'}"


def relative_time(moment: datetime | None, now: datetime | None = None) -> str:
    """`8 min ago`, `yesterday`, `in 3 h`; beyond a week the date. The browser keeps it fresh."""
    if moment is None:
        return "never"
    now = now or utc_now()
    gap = now - aware(moment)
    if abs(gap) >= timedelta(days=7):
        return date(moment, now)
    return _ago(gap) if gap >= timedelta(0) else _ahead(-gap)


def _ago(gap: timedelta) -> str:
    if gap < timedelta(seconds=45):
        return "just now"
    if timedelta(days=1) <= gap < timedelta(days=2):
        return "yesterday"
    return f"{_span(gap)} ago"


def _ahead(gap: timedelta) -> str:
    return "in a moment" if gap < timedelta(seconds=45) else f"in {_span(gap)}"


def _span(gap: timedelta) -> str:
    """The one largest unit, as `8 min`."""
    seconds = gap.total_seconds()
    if seconds < 3600:
        return f"{max(1, round(seconds / 60))}{NBSP}min"
    if seconds < 86_400:
        return f"{int(seconds // 3600)}{NBSP}h"
    return plural(int(seconds // 86_400), "day")


def date(moment: datetime | None, now: datetime | None = None) -> str:
    """`23 Nov`, with the year when it is not this one."""
    if moment is None:
        return "never"
    moment, now = aware(moment), now or utc_now()
    year = "" if moment.year == now.year else f" {moment.year}"
    return f"{moment.day} {moment:%b}{year}"


def exact_time(moment: datetime | None) -> str:
    """`Mon 23 Nov 2026, 02:00 UTC`, for a title; the browser puts the local time in its place."""
    return "" if moment is None else f"{aware(moment):%a} {aware(moment).day} {aware(moment):%b %Y, %H:%M} UTC"


def iso(moment: datetime | None) -> str:
    """ISO 8601 with a Z, as `<time datetime>` wants it."""
    return "" if moment is None else aware(moment).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def aware(moment: datetime) -> datetime:
    """The moment in UTC; one without a zone is taken as UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def initials(name: str | None) -> str:
    """Two letters of a name for its monogram: first and last word's, or a single word's first two."""
    words = [word for word in (name or "").replace("-", " ").split() if word[0].isalnum()]
    if not words:
        return "?"
    return (words[0][0] + words[-1][0]).upper() if len(words) > 1 else words[0][:2].upper()


def hue(key: object) -> int:
    """1 to 5 for a monogram or series colour: a whole number counts round, text always gets the same."""
    if isinstance(key, int):
        return (key - 1) % HUES + 1
    return crc32(str(key).encode()) % HUES + 1


FILTERS = {
    "number": number,
    "compact": compact,
    "percent": percent,
    "money": money,
    "cost": cost,
    "filesize": filesize,
    "duration": duration,
    "plural": plural,
    "relative_time": relative_time,
    "date": date,
    "exact_time": exact_time,
    "iso": iso,
    "initials": initials,
    "hue": hue,
}


def init_app(app: Flask) -> None:
    """Make each format a Jinja filter of the same name."""
    app.jinja_env.filters.update(FILTERS)
