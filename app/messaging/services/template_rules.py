"""What a template's name, text, language and declared variables may be."""

from __future__ import annotations

import re

from app.core.errors import ValidationFailed
from app.messaging.models import MessageChannel
from app.messaging.services.rendering import compile_text

MOST_CHARACTERS = {MessageChannel.SMS: 1600, MessageChannel.WHATSAPP: 1024}
CATEGORIES = ("MARKETING", "UTILITY", "AUTHENTICATION")
_LANGUAGE = re.compile(r"[a-z]{2,3}(_[A-Z]{2,4})?")
_NUMBERED = re.compile(r"\{\{|\}\}")


def name(text: str) -> str:
    """One line of 1 to 200 characters."""
    text = " ".join(text.split())
    if not 1 <= len(text) <= 200:
        raise _refused("name", "must have 1 to 200 characters.", text[:250], "1 to 200 characters")
    return text


def channel(text: str) -> str:
    if text not in set(MessageChannel):
        raise _refused("channel", "must be sms or whatsapp.", text, "sms or whatsapp")
    return text


def language(text: str) -> str:
    """As WhatsApp names it: en, pt_BR."""
    if not _LANGUAGE.fullmatch(text):
        raise _refused("language", "must be a language such as en or pt_BR.", text, "en, de, pt_BR")
    return text


def category(text: str) -> str:
    if text not in CATEGORIES:
        raise _refused("category", f"must be one of {', '.join(CATEGORIES)}.", text, ", ".join(CATEGORIES))
    return text


def content(text: str, on_channel: str) -> str:
    """The text as it is kept, line ends of one kind; refuses what the channel cannot carry or the grammar not read."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    most = MOST_CHARACTERS[MessageChannel(on_channel)]
    if not text:
        raise _refused("content", "has no text.", "", f"1 to {most:,} characters")
    if len(text) > most:
        said = f"has {len(text):,} characters, and at most {most:,} can be sent."
        raise _refused("content", said, f"{len(text):,} characters", f"at most {most:,} characters")
    compiled = compile_text(text)
    if on_channel == MessageChannel.WHATSAPP:
        _check_whatsapp(compiled.words, [slot.fallback for slot in compiled.slots])
    return text


def variables_of(text: str) -> list[dict[str, str | None]]:
    return compile_text(text).variables


def check_declared(text: str, declared: list[str] | None) -> None:
    """Variables that a request names must be those of the text, in any order."""
    if declared is None:
        return
    found = compile_text(text).names
    unknown = [one for one in declared if one not in found]
    missing = [one for one in found if one not in declared]
    if unknown or missing:
        said = [f"the text does not use {', '.join(unknown)}"] if unknown else []
        said += [f"{', '.join(missing)} of the text is not named"] if missing else []
        raise ValidationFailed(
            f"variables: {'; '.join(said)}.", field="variables", provided=declared, expected=found,
            missing=missing, unknown=unknown,
        )  # fmt: skip


def _check_whatsapp(words: tuple[str, ...], fallbacks: list[str | None]) -> None:
    if any(_NUMBERED.search(word) for word in words):
        raise _refused("content", "holds two braces side by side, which WhatsApp reads as a variable.", "{{",
                       "single braces")  # fmt: skip
    if "" in fallbacks:
        raise _refused("content", "has an empty fallback, and WhatsApp takes no empty variable.", "{name|}",
                       "words for who has no value")  # fmt: skip


def _refused(field: str, said: str, provided: str, expected: str) -> ValidationFailed:
    return ValidationFailed(f"{field}: {said}", field=field, provided=provided, expected=expected)
