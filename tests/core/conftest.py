"""An application with settings of a test's own, and open streams."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask, jsonify, request

from app.core.sse_hub import get_hub
from tests.support.streams import Stream


@pytest.fixture
def make_app(app, settings_override) -> Callable[..., Flask]:
    """`make_app(trusted_proxies=1)`: the product as it starts with these settings, and /seen and two more probes."""

    def make(**settings: Any) -> Flask:
        from app import create_app
        from app.accounts.guards import public

        settings_override(**settings)
        made = create_app()

        @public
        def seen():
            return jsonify(
                path=request.path,
                host=request.host,
                scheme=request.scheme,
                address=request.remote_addr,
                url=request.url,
            )

        for path in ("/seen", "/api/v1/seen", "/messaging/api/v1/seen"):
            made.add_url_rule(path, f"seen{path.replace('/', '_')}", seen)
        return made

    return make


@pytest.fixture
def open_stream(client, settings_override) -> Iterator[Callable[..., Stream]]:
    """Open streams with a quick heartbeat; they are closed after the test."""
    settings_override(sse_heartbeat_seconds=0.15)
    if get_hub()._reader is not None:  # a test before may have stopped the store
        get_hub()._listening.wait(5)
    opened: list[Stream] = []

    def make(channels: str = "channel=audience", of=None, **headers: str) -> Stream:
        opened.append(Stream(of or client, channels, **headers))
        return opened[-1]

    yield make
    for stream in opened:
        stream.close()
