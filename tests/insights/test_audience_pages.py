"""The audience pages, over HTTP: what they show, what they refuse, what they leave alone."""

import pytest

from tests.insights.test_audiences_api import BRIEF


@pytest.fixture
def ready_id(client, run_jobs):
    audience_id = client.post("/audience", json=BRIEF).get_json()["audience_id"]
    run_jobs()
    return audience_id


def test_smoke(client, ready_id):
    seg = client.get(f"/audience/{ready_id}/segments").get_json()[0]["id"]
    per = client.get(f"/segments/{seg}/personas").get_json()[0]["id"]
    for url in [
        "",
        "/new",
        f"/{ready_id}",
        f"/{ready_id}/live",
        f"/{ready_id}/research",
        f"/{ready_id}/research/live",
        f"/{ready_id}/reports",
        f"/{ready_id}/reports/live",
        f"/{ready_id}/activity",
        f"/{ready_id}/brief",
        f"/{ready_id}/fields/summary/edit",
        f"/{ready_id}/fields/key_insights",
        f"/{ready_id}/segments/new",
        f"/{ready_id}/export.json",
        f"/{ready_id}/export.md",
    ]:
        r = client.get("/app/audiences" + url)
        assert r.status_code == 200, (url, r.text[-3000:])
    for url in [
        f"described-segments/{seg}",
        f"described-segments/{seg}/edit",
        f"described-segments/{seg}/personas/new",
        "personas",
        f"personas/{per}",
        f"personas/{per}/edit",
        f"personas/compare?audience_id={ready_id}",
        "personas/compare",
    ]:
        r = client.get("/app/" + url)
        assert r.status_code == 200, (url, r.text[-3000:])
