"""What every test of customer data needs: sending events, reading profiles."""

from __future__ import annotations

import pytest

BASE = "/api/v1/cdp"


class People:
    """The API as a sender and a marketer use it."""

    def __init__(self, client):
        self.client = client

    def send(self, name="page", **event):
        """Send one event; the id of its profile."""
        answer = self.client.post(f"{BASE}/events", json={"event_name": name, **event})
        assert answer.status_code == 201, answer.text
        return answer.get_json()["profile_id"]

    def batch(self, *events):
        answer = self.client.post(f"{BASE}/events/batch", json={"events": list(events)})
        assert answer.status_code == 200, answer.text
        return answer.get_json()

    def get(self, path, status=200):
        answer = self.client.get(f"{BASE}{path}")
        assert answer.status_code == status, answer.text
        return answer.get_json()

    def post(self, path, body, status=201):
        answer = self.client.post(f"{BASE}{path}", json=body)
        assert answer.status_code == status, answer.text
        return answer.get_json()

    def profile(self, profile_id):
        return self.get(f"/profiles/{profile_id}")

    def find(self, q):
        """Ids of the profiles a search finds."""
        return [one["id"] for one in self.get(f"/profiles?q={q}")["items"]]

    def everyone(self):
        return self.get("/profiles?limit=100")["items"]

    def events_of(self, profile_id):
        return [one["event_name"] for one in self.get(f"/profiles/{profile_id}/events?limit=100")["items"]]


@pytest.fixture
def people(client) -> People:
    return People(client)
