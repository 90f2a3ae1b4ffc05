"""An audience with its segments and personas, and reading a page, for tests of pages."""

from __future__ import annotations

import html
import re

BRIEF = {
    "name": "Orchard & Oat",
    "website": "orchardandoat.example",
    "business_description": "Organic groceries in a weekly box, delivered to the door",
    "industry": "Grocery and food delivery",
    "customers": "Households without time to plan",
    "location": "United States",
    "age_range": "25-54",
    "income_level": "Middle to high",
    "core_need": "Healthy dinners without planning",
    "additional_info": "Returnable crates",
}
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'>{{ 7*7 }}"
UNSAFE = re.compile(r"<script>alert|<img src=x|49\"'>")


class Pages:
    """A signed-in client whose forms carry the token of the pages they stand on."""

    def __init__(self, client) -> None:
        self.client = client
        self.get, self.put = client.get, client.put
        self.token = re.search(r'name="csrf-token" content="([^"]+)"', client.get("/app/audiences").text)[1]

    def post(self, url: str, headers: dict | None = None, **sent):
        return self.client.post(url, headers={"X-CSRFToken": self.token, **(headers or {})}, **sent)


def make_audience(client, run_jobs=None, **brief) -> int:
    audience_id = client.post("/audience", json=BRIEF | brief).get_json()["audience_id"]
    if run_jobs:
        run_jobs()
    return audience_id


def segment_ids(client, audience_id: int) -> list[int]:
    return [row["id"] for row in client.get(f"/audience/{audience_id}/segments").get_json()]


def persona_ids(client, segment_id: int) -> list[int]:
    return [row["id"] for row in client.get(f"/segments/{segment_id}/personas").get_json()]


def first_persona(client, audience_id: int) -> int:
    return persona_ids(client, segment_ids(client, audience_id)[0])[0]


def add_persona(client, audience_id: int, name: str = "Priya Nair", **data) -> int:
    segment_id = segment_ids(client, audience_id)[0]
    return client.post(f"/segments/{segment_id}/personas", json={"name": name, "data": data}).get_json()["persona_id"]


def words(response) -> str:
    """What a page says, without its markup."""
    body = response.text.partition("<main")[2].partition("</main>")[0] or response.text
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())
