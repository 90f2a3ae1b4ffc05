"""Links that leave the product, and the signed payloads in them."""

from __future__ import annotations

import pytest
from itsdangerous import TimestampSigner

from app.core import links, signing


@pytest.mark.parametrize(
    ("public_url", "expected"),
    [
        ("", "http://localhost:8123/a?b=c"),
        ("https://parley.example.com", "https://parley.example.com/a?b=c"),
        ("https://example.com/parley/ ", "https://example.com/parley/a?b=c"),
    ],
)
def test_a_link_is_made_from_the_settings_alone(app, settings_override, public_url, expected):
    settings_override(public_url=public_url, port=8123)
    with app.test_request_context("/", headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"}):
        assert links.absolute("/a?b=c") == expected


def test_what_was_signed_is_read_back():
    assert signing.unsign("one", signing.sign("one", {"user": 7}), 60) == {"user": 7}


def test_a_token_of_another_purpose_is_refused():
    assert signing.unsign("another", signing.sign("one", 7), 60) is None


def test_a_token_of_another_key_is_refused(settings_override):
    token = signing.sign("one", 7)
    settings_override(secret_key="another secret of this installation")
    assert signing.unsign("one", token, 60) is None


def test_a_token_that_is_changed_anywhere_is_refused():
    token = signing.sign("one", {"user": 7})
    for i, char in enumerate(token[:-1]):  # the last letter holds bits that mean nothing
        forged = token[:i] + ("A" if char != "A" else "B") + token[i + 1 :]
        assert signing.unsign("one", forged, 60) is None, i


@pytest.mark.parametrize("token", ["", ".", "..", "a.b.c", "\u00e9", "x" * 5000])
def test_what_never_was_a_token_is_refused(token):
    assert signing.unsign("one", token, 60) is None


def test_a_token_is_good_for_its_time_only(monkeypatch):
    timestamp = TimestampSigner.get_timestamp
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda self: timestamp(self) - 50)
    token = signing.sign("one", 7)
    monkeypatch.undo()
    assert signing.unsign("one", token, 60) == 7
    assert signing.unsign("one", token, 40) is None
