"""Calling the sandbox's Twilio as anybody would who has its account."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest

from app.sandbox.services.twilio_account import ACCOUNT_SID, AUTH_TOKEN, SERVICE_SID


@pytest.fixture
def twilio(sandbox) -> SimpleNamespace:
    """`send(To=…)`, `get(path)`, `post(path, …)` with the right credentials; a message needs only what is changed."""
    root = f"{sandbox.url}/twilio"
    messages = f"/2010-04-01/Accounts/{ACCOUNT_SID}/Messages"
    usual = {"To": "+14155550101", "From": "+15005550006", "Body": "Hello"}
    auth = (ACCOUNT_SID, AUTH_TOKEN)

    def send(**fields: Any) -> httpx2.Response:
        form = {name: value for name, value in {**usual, **fields}.items() if value is not None}
        return httpx2.post(f"{root}{messages}.json", data=form, auth=auth)

    def get(path: str = f"{messages}.json", **query: Any) -> httpx2.Response:
        return httpx2.get(f"{root}{path}", params=query or None, auth=auth)

    def post(path: str, data: Any = None, json: Any = None) -> httpx2.Response:
        return httpx2.post(f"{root}{path}", data=data, json=json, auth=auth)

    def message(sid: str) -> dict[str, Any]:
        return dict(get(f"{messages}/{sid}.json").json())

    return SimpleNamespace(
        send=send, get=get, post=post, message=message, messages=messages, root=root, service=SERVICE_SID,
        account=ACCOUNT_SID, token=AUTH_TOKEN,
    )  # fmt: skip


@pytest.fixture
def content(twilio) -> Callable[..., str]:
    """Register a text as a content; gives its id."""

    def make(body: str = "Hi {{1}}, your order {{2}} is here", submit_as: str = "", **variables: str) -> str:
        named = variables or {"1": "Ann", "2": "A-17"}
        shape = {
            "friendly_name": "order",
            "language": "en",
            "variables": named,
            "types": {"twilio/text": {"body": body}},
        }
        sid = twilio.post("/content/v1/Content", json=shape).json()["sid"]
        if submit_as:
            path = f"/content/v1/Content/{sid}/ApprovalRequests/whatsapp"
            assert twilio.post(path, json={"name": submit_as, "category": "UTILITY"}).status_code == 201
        return str(sid)

    return make
