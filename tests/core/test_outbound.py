"""Addresses somebody typed may not lead into a private network."""

from __future__ import annotations

import ipaddress
import socket

import pytest

from app.core.errors import ValidationFailed
from app.core.outbound import check_url, is_public


@pytest.fixture(autouse=True)
def _private_is_refused(settings_override):
    settings_override(allow_private_urls=False)


@pytest.mark.parametrize(
    "url",
    [
        "", "ftp://example.com/", "javascript:alert(1)", "http://", "https://user:secret@example.com/", "http://[::1",
        "http://example.com:99999/", "//example.com", "http://0.0.0.0/", "http://127.0.0.1:11434/v1", "http://2130706433/",
        "http://0x7f.1/", "http://localhost/", "http://10.0.0.8/", "http://192.168.1.1/", "http://172.16.0.1/",
        "http://100.64.0.1/", "http://169.254.169.254/latest/meta-data", "http://[::1]/", "http://[fe80::1]/",
        "http://[fc00::1]/", "http://[::ffff:127.0.0.1]/", "http://[64:ff9b::7f00:1]/", "http://224.0.0.1/",
    ],
)  # fmt: skip
def test_an_address_that_is_none_or_private_is_refused(url):
    with pytest.raises(ValidationFailed):
        check_url(url)


@pytest.mark.parametrize("url", ["https://93.184.216.34/v1", "http://[2606:2800:220:1:248:1893:25c8:1946]/"])
def test_a_public_address_is_allowed(url):
    check_url(url)


def test_every_address_of_a_name_is_looked_at(monkeypatch):
    def resolve(*_args: object, **_more: object) -> list[tuple[object, ...]]:
        return [(socket.AF_INET, 1, 6, "", (ip, 443)) for ip in ("93.184.216.34", "10.0.0.1")]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(ValidationFailed):
        check_url("https://two-faced.example/v1")


def test_private_addresses_are_allowed_where_the_settings_say_so(settings_override):
    settings_override(allow_private_urls=True)
    check_url("http://127.0.0.1:11434/v1")
    with pytest.raises(ValidationFailed):
        check_url("ftp://127.0.0.1/")


def test_shared_and_documentation_networks_are_not_public():
    assert not is_public(ipaddress.ip_address("100.64.1.1"))
    assert not is_public(ipaddress.ip_address("2002:7f00:1::"))
    assert is_public(ipaddress.ip_address("1.1.1.1"))
