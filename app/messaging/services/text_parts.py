"""How many parts a text travels in, what they cost, and what could be written otherwise to need fewer."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from app.messaging.models import MessageChannel
from app.messaging.services.rules import Prices

Encoding = Literal["GSM-7", "UCS-2"]
GSM7: Final = "GSM-7"
UCS2: Final = "UCS-2"
_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("\f^{}\\[~]|€")  # these take an escape and a character
_GSM = re.compile(f"[{re.escape(''.join(sorted(_BASIC | _EXTENDED)))}]*")
_TWO_SEPTETS = re.compile(f"[{re.escape(''.join(sorted(_EXTENDED)))}]")
_SURROGATES = re.compile("[\U00010000-\U0010ffff]")  # written as a pair in UTF-16
SINGLE: dict[str, int] = {GSM7: 160, UCS2: 70}
CHAINED: dict[str, int] = {GSM7: 153, UCS2: 67}  # a header in each part says how they belong together
_SIMPLER = str.maketrans({
    "‘": "'", "’": "'", "‚": "'", "‛": "'", "′": "'", "`": "'", "´": "'",
    "“": '"', "”": '"', "„": '"', "‟": '"', "″": '"', "«": '"', "»": '"', "‹": "'", "›": "'",
    "–": "-", "—": "-", "‐": "-", "‑": "-", "‒": "-", "―": "-", "−": "-",
    "…": "...", "•": "-", "·": "-", "×": "x", "\u00a0": " ", "\u202f": " ", "\u2009": " ", "\u2003": " ",
    "\u2002": " ", "\u200b": "", "\ufeff": "", "\u00ad": "", "\t": " ", "ﬁ": "fi", "ﬂ": "fl",
    "™": "TM", "®": "(R)", "©": "(C)", "½": "1/2", "¼": "1/4", "¾": "3/4",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Parts:
    """`units` are septets in GSM-7 and 16-bit units in UCS-2; `left_in_part` of them still go into the last part."""

    encoding: Encoding
    units: int
    parts: int
    left_in_part: int


@dataclass(frozen=True, slots=True)
class Suggestion:
    """The text in characters that take less room; `replaced` are those that would be written otherwise."""

    text: str
    replaced: tuple[str, ...]
    parts: Parts
    saved_parts: int


@dataclass(frozen=True, slots=True)
class Cost:
    """`micros` are millionths of `currency` for so many parts, or WhatsApp messages, in all."""

    parts: int
    micros: int
    currency: str


def count(text: str) -> Parts:
    """How the text travels as SMS. A character of two units never stands in two parts; an empty text has none."""
    if is_gsm(text):
        return _packed(GSM7, len(text), [found.start() for found in _TWO_SEPTETS.finditer(text)])
    return _packed(UCS2, len(text), [found.start() for found in _SURROGATES.finditer(text)])


def is_gsm(text: str) -> bool:
    """Whether every character is of the GSM 03.38 alphabet or its extension."""
    return _GSM.fullmatch(text) is not None


def outside_gsm(text: str) -> list[str]:
    """The characters that make a text travel as UCS-2, each once, in order."""
    return [one for one in dict.fromkeys(text) if one not in _BASIC and one not in _EXTENDED]


def suggest(text: str) -> Suggestion | None:
    """The same text in plainer characters, where that needs fewer parts; None where nothing is gained."""
    before, simpler = count(text), text.translate(_SIMPLER)
    after = count(simpler)
    if before.encoding == GSM7 or after.encoding != GSM7 or after.parts >= before.parts:
        return None
    replaced = tuple(one for one in outside_gsm(text) if ord(one) in _SIMPLER)
    return Suggestion(simpler, replaced, after, before.parts - after.parts)


def estimate(parts: int, recipients: int, prices: Prices, channel: str = MessageChannel.SMS) -> Cost:
    """What it costs to send a text of so many parts to so many people. A WhatsApp message is one, however long."""
    sold = (parts if channel == MessageChannel.SMS else min(parts, 1)) * recipients
    return Cost(sold, prices.of(channel) * sold, prices.currency)


def _packed(encoding: Encoding, characters: int, wide: list[int]) -> Parts:
    """`wide` are the places of characters that take two units."""
    units, single, chained = characters + len(wide), SINGLE[encoding], CHAINED[encoding]
    if units <= single:
        return Parts(encoding, units, 1 if units else 0, single - units)
    lost = 0  # units left empty at the ends of parts, since a wide character did not fit there
    for earlier, at in enumerate(wide):
        if (at + earlier + lost) % chained == chained - 1:
            lost += 1
    parts = -(-(units + lost) // chained)
    return Parts(encoding, units, parts, parts * chained - units - lost)
