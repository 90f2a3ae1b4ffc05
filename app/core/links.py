"""Addresses that leave the product: in mails, and in links an admin hands on."""

from __future__ import annotations

from app.core.config import get_settings


def absolute(path: str) -> str:
    """The full address of a path of ours, from PUBLIC_URL, or else this machine's own.

    Never from the request: a forged Host header would send the reader of a mail to somebody else's site.
    """
    settings = get_settings()
    base = settings.public_url.strip() or f"http://localhost:{settings.port}"
    return f"{base.rstrip('/')}/{path.lstrip('/')}"
