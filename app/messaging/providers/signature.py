"""Whether a call to our webhooks was signed by Twilio with this account's token."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from urllib.parse import SplitResult, parse_qs, urlsplit, urlunsplit

DEFAULT_PORTS = {"http": 80, "https": 443}
BODY_HASH = "bodySHA256"


def is_signed(
    url: str, params: Mapping[str, Iterable[str]], body: bytes, signature: str | None, auth_token: str
) -> bool:
    """Check X-Twilio-Signature over the full public address and every form field, known or not.

    `params` has all values of each field. A body that is no form bears its hash in the address, and the address alone
    is signed. An empty token or signature signs nothing.
    """
    if not signature or not auth_token:
        return False
    try:
        parts = urlsplit(url)
        addresses = _with_and_without_port(parts)
    except ValueError:
        return False
    said_hash = parse_qs(parts.query).get(BODY_HASH)
    if said_hash:
        is_whole = hmac.compare_digest(said_hash[0].lower().encode(), hashlib.sha256(body).hexdigest().encode())
        if not is_whole:
            return False
        params = {}
    given = signature.encode()
    fits = [hmac.compare_digest(_signature(address, params, auth_token), given) for address in addresses]
    return any(fits)


def _signature(url: str, params: Mapping[str, Iterable[str]], auth_token: str) -> bytes:
    said = url + "".join(name + value for name in sorted(params) for value in sorted(set(params[name])))
    return base64.b64encode(hmac.new(auth_token.encode(), said.encode(), hashlib.sha1).digest())


def _with_and_without_port(parts: SplitResult) -> tuple[str, ...]:
    """The address as it stands, and with its scheme's usual port added or left out: either may have been signed."""
    usual = DEFAULT_PORTS.get(parts.scheme)
    if parts.port is None:
        return urlunsplit(parts), urlunsplit(parts._replace(netloc=f"{parts.netloc}:{usual}"))
    if parts.port == usual:
        return urlunsplit(parts), urlunsplit(parts._replace(netloc=parts.netloc.rsplit(":", 1)[0]))
    return (urlunsplit(parts),)
