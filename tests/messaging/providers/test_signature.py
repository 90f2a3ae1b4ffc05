import hashlib

import pytest
from twilio.request_validator import RequestValidator

from app.messaging.providers.signature import is_signed

SHOP = "https://mycompany.com/myapp.php?foo=1&bar=2"
SHOP_FORM = {
    "CallSid": ["CA1234567890ABCDE"], "Digits": ["1234"], "From": ["+14158675309"], "To": ["+18005551212"],
    "Caller": ["+14158675309"],
}  # fmt: skip
STATUS = "https://hooks.example.com/webhooks/status"
STATUS_FORM = {
    "MessageSid": ["SM1234567890abcdef1234567890abcdef"], "MessageStatus": ["delivered"], "To": ["+14155551234"],
    "From": ["+15005550006"], "AccountSid": ["AC" + "a" * 32],
}  # fmt: skip
VECTORS = [
    ("12345", SHOP, SHOP_FORM, "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
    ("test_auth_token", STATUS, STATUS_FORM, "NpuoLrpczLoegfRtqkQpFsAOVMQ="),
]


@pytest.mark.parametrize(("token", "url", "form", "signature"), VECTORS)
def test_known_signatures_are_good(token, url, form, signature):
    assert is_signed(url, form, b"", signature, token)


@pytest.mark.parametrize(("token", "url", "form", "signature"), VECTORS)
def test_anything_changed_makes_them_bad(token, url, form, signature):
    name = next(iter(form))
    assert not is_signed(url, {**form, name: ["other"]}, b"", signature, token)
    assert not is_signed(url, {**form, "More": ["1"]}, b"", signature, token)
    assert not is_signed(url, {key: value for key, value in form.items() if key != name}, b"", signature, token)
    assert not is_signed(url + "x", form, b"", signature, token)
    assert not is_signed(url, form, b"", signature, token + "x")
    assert not is_signed(url, form, b"", signature[:-2] + "A=", token)


@pytest.mark.parametrize("signature", [None, "", "ü", "not base64"])
def test_no_signature_and_nonsense_sign_nothing(signature):
    assert not is_signed(STATUS, STATUS_FORM, b"", signature, "test_auth_token")


def test_an_empty_token_signs_nothing():
    signature = RequestValidator("").compute_signature(STATUS, {})
    assert not is_signed(STATUS, {}, b"", signature, "")


@pytest.mark.parametrize(
    ("signed", "seen", "good"),
    [
        ("https://a.example:443/in?x=1", "https://a.example/in?x=1", True),
        ("https://a.example/in?x=1", "https://a.example:443/in?x=1", True),
        ("http://a.example:80/in", "http://a.example/in", True),
        ("http://a.example:8080/in", "http://a.example:8080/in", True),
        ("http://a.example:8080/in", "http://a.example/in", False),
        ("https://a.example:80/in", "https://a.example/in", False),
        ("http://[::1]:80/in", "http://[::1]/in", True),
    ],
)
def test_the_usual_port_may_be_written_or_not(signed, seen, good):
    signature = RequestValidator("token").compute_signature(signed, {"A": "1"})
    assert is_signed(seen, {"A": ["1"]}, b"", signature, "token") is good


def test_repeated_fields_count_once_each_in_order():
    class Many(dict):
        def getlist(self, name):
            return self[name]

    form = Many(MediaUrl=["b", "a", "b"], Body=["x"])
    signature = RequestValidator("token").compute_signature(STATUS, form)
    assert is_signed(STATUS, form, b"", signature, "token")
    assert is_signed(STATUS, {"Body": ["x"], "MediaUrl": ["a", "b"]}, b"", signature, "token")


def test_a_body_that_is_no_form_is_signed_by_its_hash():
    body = b'{"a": 1}'
    url = f"{STATUS}?bodySHA256={hashlib.sha256(body).hexdigest()}"
    signature = RequestValidator("token").compute_signature(url, {})
    assert is_signed(url, {}, body, signature, "token")
    assert not is_signed(url, {}, b'{"a": 2}', signature, "token")
    assert not is_signed(url.replace("=", "=0", 1), {}, body, signature, "token")


def test_a_hash_in_the_address_does_not_let_a_form_go_unchecked():
    """Whoever holds one signed JSON call must not be able to send fields of their own under it."""
    body = b'{"a": 1}'
    url = f"{STATUS}?bodySHA256={hashlib.sha256(body).hexdigest()}"
    signature = RequestValidator("token").compute_signature(url, {})
    assert not is_signed(url, {"From": ["+1"]}, b"From=%2B1", signature, "token")


def test_an_address_that_is_none_signs_nothing():
    assert not is_signed("https://a.example:port/in", {}, b"", "c2lnbg==", "token")
