"""Carries the Twilio client's requests: over connections kept alive, to the addresses of the settings, never twice."""

from __future__ import annotations

import json
import logging
from typing import Any
from urllib.parse import urlencode
from urllib.request import getproxies, proxy_bypass

import certifi
import urllib3
from twilio.http import HttpClient
from twilio.http.response import Response
from urllib3 import exceptions as network
from urllib3.util import parse_url

from app.core.config import TWILIO_CONNECT_SECONDS
from app.messaging.providers.base import ErrorClass, SendFailed

POOL_SIZE = 64
NOT_SENT = (network.NewConnectionError, network.ConnectTimeoutError, network.NameResolutionError, network.ProxyError)
"""What can only happen before a request leaves: the service knows nothing of it."""


class KeepAliveClient(HttpClient):
    """What the Twilio package sends by. Its own client makes one more object than needed of everything and logs.

    `bases` gives the address that stands for each of Twilio's hosts. A POST is never repeated here: nobody could tell
    whether the first one was carried out.
    """

    def __init__(self, bases: dict[str, str], timeout_seconds: float) -> None:
        super().__init__(logging.getLogger("twilio"), False, timeout_seconds)
        # At DEBUG it writes down addresses, and with them the numbers of people.
        logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)
        self._bases = bases
        connect = min(TWILIO_CONNECT_SECONDS, timeout_seconds)
        self._timeout = urllib3.Timeout(connect=connect, read=timeout_seconds)
        self._pools: dict[str, urllib3.PoolManager] = {host: self._pool(base) for host, base in bases.items()}

    def request(
        self,
        method: str,
        url: str,
        params: dict[str, object] | None = None,
        data: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Response:
        """Ask once. Raises SendFailed when no answer came; an answer of any status is handed back."""
        host = next(host for host in self._bases if url.startswith(host))
        address = self._bases[host] + url.removeprefix(host) + (f"?{_query(params)}" if params else "")
        sent = dict(headers or {})
        if auth:
            sent |= urllib3.make_headers(basic_auth=":".join(auth))
        pool, body = self._pools[host], _body(data, sent)
        try:
            answer = pool.request(
                method, address, body=body, headers=sent, timeout=self._timeout, retries=False, redirect=False
            )
        except NOT_SENT:
            raise SendFailed(ErrorClass.TRANSIENT, "Twilio cannot be reached.") from None
        except network.ReadTimeoutError:
            words = "Twilio did not answer in time."
            raise SendFailed(ErrorClass.TRANSIENT, words, is_ambiguous=True) from None
        except network.HTTPError:
            words = "The connection to Twilio broke off."
            raise SendFailed(ErrorClass.TRANSIENT, words, is_ambiguous=True) from None
        return Response(answer.status, answer.data.decode("utf-8", "replace"), answer.headers)

    def _pool(self, base: str) -> urllib3.PoolManager:
        """Connections to one address, by the proxy of the environment where there is one."""
        parts = parse_url(base)
        proxy = None if proxy_bypass(parts.host or "") else getproxies().get(parts.scheme or "https")
        options: dict[str, Any] = {"maxsize": POOL_SIZE, "block": False, "ca_certs": certifi.where()}
        return urllib3.ProxyManager(proxy, **options) if proxy else urllib3.PoolManager(**options)


def _query(params: dict[str, object]) -> str:
    return urlencode({name: value for name, value in params.items() if value is not None}, doseq=True)


def _body(data: dict[str, object] | None, headers: dict[str, str]) -> str | bytes | None:
    if data is None or not headers.get("Content-Type"):
        return None
    if headers["Content-Type"] == "application/json":
        return json.dumps(data)
    return urlencode(data, doseq=True)
