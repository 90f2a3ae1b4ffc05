"""Small pieces of grammar and Markdown shared by the analyst's texts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

_KEEP = ("I ", "I'", "US ", "UK ", "HR", "IT ", "AI ", "TV", "LinkedIn", "Instagram", "TikTok", "YouTube", "Facebook",
         "Google", "Pinterest", "Reddit", "GitHub", "WhatsApp", "Slack", "CFO", "CRM", "Sunday", "Saturday", "Friday",
         "Monday", "Christmas", "New Year", "Discord", "Twitch", "PDF", "SEO", "Amazon")  # fmt: skip


def lower_first(text: str) -> str:
    """The text as it reads inside a sentence."""
    if text.startswith(_KEEP) or (text[:2].isupper() and text[:2].isalpha()):
        return text
    return text[:1].lower() + text[1:]


def listed(items: Sequence[str]) -> str:
    """One, two and three as "one; two; and three" when the items bear commas, else with commas."""
    items = [item for item in items if item]
    if len(items) < 2:
        return "".join(items)
    mark = "; " if any("," in item for item in items) else ", "
    last = f"{mark}and " if len(items) > 2 or mark == "; " else " and "
    return mark.join(items[:-1]) + last + items[-1]


def bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines if line)


def numbered(lines: Iterable[str]) -> str:
    return "\n".join(f"{n}. {line}" for n, line in enumerate((line for line in lines if line), 1))


def section(title: str, body: str) -> str:
    return f"## {title}\n\n{body}" if body.strip() else ""


def money(amount: float) -> str:
    return f"${amount:,.0f}"


def article(text: str) -> str:
    """The text with a or an before it, as it is spoken: an 8-person firm, a university, an HR manager."""
    spoken = text.lower()
    an = (
        spoken[:1] in "aeio8"
        or spoken.startswith(("11-", "18-", "umb", "und", "hr ", "hour", "x-ray"))
        or text.startswith("HR")
    )
    return f"{'an' if an and not spoken.startswith(('one', 'eu')) else 'a'} {text}"


def full_stop(text: str) -> str:
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."
