"""Lists of people page by page, from whichever end is nearer."""

from __future__ import annotations

import pytest

from app.cdp.queries import profiles


@pytest.mark.parametrize("stage", ["", "&lifecycle_stage=known"])
def test_pages_past_the_middle_go_on_where_the_one_before_ended(people, monkeypatch, stage):
    for number in range(7):
        people.send("page", user_id=f"u{number}")
    whole = [one["id"] for one in people.get(f"/profiles?limit=100{stage}")["items"]]
    monkeypatch.setattr(profiles, "LARGE", 1)
    pages = [people.get(f"/profiles?limit=2&page={page}{stage}")["items"] for page in range(1, 6)]
    assert [[one["id"] for one in page] for page in pages] == [whole[0:2], whole[2:4], whole[4:6], whole[6:], []]
