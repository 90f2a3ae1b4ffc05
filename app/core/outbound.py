"""Whether an address somebody typed may be called from this machine."""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

from app.core.config import get_settings
from app.core.errors import ValidationFailed

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
_TRANSLATED = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("2002::/16"))  # may lead to any IPv4 address


def check_url(url: str, *, field: str = "base_url") -> None:
    """Refuse what is not http(s), carries a password, or leads to this machine or its network.

    Private addresses are allowed where the settings say so. Every address the name resolves to is looked at.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValidationFailed("This is not a web address.", field=field) from None
    if parts.scheme not in ("http", "https") or not host:
        raise ValidationFailed("The address must begin with http:// or https:// and name a host.", field=field)
    if parts.username or parts.password:
        raise ValidationFailed("The address must not contain a user name or password.", field=field)
    if not get_settings().private_urls_allowed:
        find_addresses(host, port or 443, field=field)


def find_addresses(host: str, port: int, *, field: str = "url") -> list[str]:
    """Where a name leads now. Unless the settings allow private addresses, a single one among them refuses the name."""
    found = _resolve(host, port, field)
    if not get_settings().private_urls_allowed and any(not is_public(address) for address in found):
        raise ValidationFailed("The address leads into a private network, which is not allowed here.", field=field)
    return list(dict.fromkeys(str(address) for address in found))


def is_public(address: IpAddress) -> bool:
    """Whether anyone on the internet would reach the same machine at this address."""
    mapped = getattr(address, "ipv4_mapped", None)
    if mapped is not None:
        return is_public(mapped)
    if address.version == 6 and any(address in network for network in _TRANSLATED):
        return False
    return address.is_global and not address.is_multicast


def _resolve(host: str, port: int, field: str) -> list[IpAddress]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return [ipaddress.ip_address(str(entry[4][0]).split("%")[0]) for entry in found]
    except (OSError, UnicodeError, ValueError):
        raise ValidationFailed("The host of this address cannot be found.", field=field) from None
