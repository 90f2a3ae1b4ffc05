"""How many parts a text message is sent in: GSM-7 or UCS-2, as carriers count."""

from __future__ import annotations

from collections.abc import Iterable

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED = frozenset("\f^{}\\[~]|€")
PLAIN = str.maketrans({"‘": "'", "’": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "...", "\u00a0": " "})
_EITHER = BASIC | EXTENDED


def smart(text: str) -> str:
    """What SmartEncoded makes of typographic signs."""
    return text.translate(PLAIN)


def count(text: str) -> int:
    """The number of parts; an escaped sign or a surrogate pair is never cut in two."""
    if text.isascii() and "`" not in text and len(text) <= 70:
        return 1  # even were every sign an escaped one, they would fit
    if _EITHER.issuperset(text):
        return _parts([2 if sign in EXTENDED else 1 for sign in text], 160, 153)
    return _parts([2 if ord(sign) > 0xFFFF else 1 for sign in text], 70, 67)


def _parts(widths: list[int], single: int, part: int) -> int:
    return 1 if sum(widths) <= single else _filled(widths, part)


def _filled(widths: Iterable[int], part: int) -> int:
    parts, used = 1, 0
    for width in widths:
        if used + width > part:
            parts, used = parts + 1, 0
        used += width
    return parts
