"""Pages as somebody without scripts uses them: what they say, and forms with the token that pages carry."""

from __future__ import annotations

import html
import re
from typing import Any


def words(page: str) -> str:
    """What a page says, without its marks."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def text_of(answer: Any, status: int = 200) -> str:
    """The words of an answer that must have this status."""
    assert answer.status_code == status, answer.text
    return words(answer.text)


def token_in(page: str) -> str:
    """What every form of a page must send back."""
    found = re.search(r'name="csrf-token" content="([^"]+)"', page)
    assert found is not None, page
    return found.group(1)


class Pages:
    """A signed-in person who reads pages and sends forms."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.token = token_in(client.get("/app/profiles").text)

    def text(self, url: str, status: int = 200) -> str:
        return text_of(self.client.get(url), status)

    def post(self, url: str, **fields: Any) -> Any:
        return self.client.post(url, data={"csrf_token": self.token, **fields})
