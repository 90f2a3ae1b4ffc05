"""Parts of a text message, held against a slow count by the letter of GSM 03.38 and 03.40."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.messaging.models import MessageChannel
from app.messaging.services.rules import Prices
from app.messaging.services.text_parts import count, estimate, is_gsm, outside_gsm, suggest

EXTENDED = "^{}\\[~]|€\f"
GSM_LETTERS = st.text(alphabet=st.sampled_from("aZ0 é@£Ω\n" + EXTENDED), max_size=700)
ANY = st.text(alphabet=st.characters(exclude_categories=("Cs",)) | st.sampled_from("a😀€ж"), max_size=400)


def split(text):
    """The text in parts, character by character, none of two units cut in half."""
    is_basic = is_gsm(text)
    widths = [2 if (one in EXTENDED if is_basic else ord(one) > 0xFFFF) else 1 for one in text]
    if sum(widths) <= (160 if is_basic else 70):
        return [sum(widths)] if text else []
    room, parts = (153 if is_basic else 67), [0]
    for width in widths:
        if parts[-1] + width > room:
            parts.append(0)
        parts[-1] += width
    return parts


@given(GSM_LETTERS | ANY)
def test_parts_are_as_many_as_packing_the_characters_one_by_one_gives(text):
    parts, counted = split(text), count(text)
    room = {"GSM-7": (160, 153), "UCS-2": (70, 67)}[counted.encoding][len(parts) > 1]
    assert (counted.parts, counted.units) == (len(parts), sum(parts))
    assert counted.left_in_part == room - (parts[-1] if parts else 0)


@given(ANY)
def test_one_character_outside_the_alphabet_makes_the_whole_text_ucs2(text):
    assert (count(text).encoding == "GSM-7") == (outside_gsm(text) == [])


@pytest.mark.parametrize(
    ("text", "encoding", "units", "parts", "left"),
    [
        ("", "GSM-7", 0, 0, 160),
        ("a" * 160, "GSM-7", 160, 1, 0),
        ("a" * 161, "GSM-7", 161, 2, 145),
        ("a" * 306, "GSM-7", 306, 2, 0),
        ("€" * 80, "GSM-7", 160, 1, 0),
        ("€" * 81, "GSM-7", 162, 2, 143),
        ("a" * 152 + "€" * 5, "GSM-7", 162, 2, 143),
        ("ж" * 70, "UCS-2", 70, 1, 0),
        ("ж" * 71, "UCS-2", 71, 2, 63),
        ("😀" * 35, "UCS-2", 70, 1, 0),
        ("😀" * 36, "UCS-2", 72, 2, 61),
        ("ж" * 66 + "😀" * 3, "UCS-2", 72, 2, 61),
        ("\t", "UCS-2", 1, 1, 69),
        ("ê", "UCS-2", 1, 1, 69),
    ],
)
def test_known_lengths(text, encoding, units, parts, left):
    counted = count(text)
    assert (counted.encoding, counted.units, counted.parts, counted.left_in_part) == (encoding, units, parts, left)


def test_the_alphabet_is_gsm_0338_whole():
    basic = (
        "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
        "abcdefghijklmnopqrstuvwxyzäöñüà"
    )
    assert len(set(basic)) == 127, "128 places, one of them the escape"
    assert {chr(n) for n in range(0x10000) if not 0xD800 <= n < 0xE000 and is_gsm(chr(n))} == set(basic) | set(EXTENDED)


def test_typographic_characters_are_offered_in_plain_ones_where_that_saves_a_part():
    offered = suggest("“It’s here” – " + "x" * 100)
    assert offered is not None
    assert offered.text == '"It\'s here" - ' + "x" * 100
    assert (offered.parts.parts, offered.saved_parts) == (1, 1)
    assert offered.replaced == ("“", "’", "”", "–")


@pytest.mark.parametrize("text", ["“short”", "plain " * 40, "“ж” " + "x" * 100, "ж" * 100])
def test_nothing_is_offered_where_nothing_is_saved(text):
    assert suggest(text) is None


@given(ANY)
def test_what_is_offered_needs_fewer_parts_and_is_gsm(text):
    offered = suggest(text)
    if offered is not None:
        assert is_gsm(offered.text)
        assert count(offered.text).parts == count(text).parts - offered.saved_parts < count(text).parts


def test_sms_is_paid_by_the_part_and_whatsapp_by_the_message():
    prices = Prices("EUR", sms=79_000, whatsapp=60_000)
    sms = estimate(3, 1000, prices)
    assert (sms.parts, sms.micros, sms.currency) == (3000, 237_000_000, "EUR")
    assert estimate(3, 1000, prices, MessageChannel.WHATSAPP).micros == 60_000_000
