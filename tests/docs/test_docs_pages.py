"""The API's pages and documents as anyone reads them."""

from __future__ import annotations

import re

import pytest


def test_the_first_page_lists_the_contracts_there_are_and_how_to_use_them(anonymous):
    page = anonymous.get("/api/docs").text
    assert 'href="/api/docs/insight"' in page
    assert 'href="/api/docs/stratum.json"' in page
    assert 'href="/api/docs/messaging"' in page
    assert 'href="/api/docs/sync"' not in page
    for heading in ("Say who you are", "Errors", "Limits", "Lists and times"):
        assert f">{heading}</h2>" in page


def test_a_contract_has_a_page_with_every_operation_and_links_that_lead_somewhere(anonymous):
    document = anonymous.get("/api/docs/insight.json").json
    page = anonymous.get("/api/docs/insight").text
    operations = [operation for methods in document["paths"].values() for operation in methods.values()]
    assert len(operations) > 30
    for operation in operations:
        assert f'id="{operation["operationId"]}"' in page
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(ids)
    assert set(re.findall(r'data-copy="#([^"]+)"', page)) <= set(ids)


def test_an_operation_says_what_it_takes_needs_and_answers(anonymous):
    page = anonymous.get("/api/docs/insight").text
    article = re.search(r'<article class="card doc-op" id="audience_create".*?</article>', page, re.S).group(0)
    assert "<code>/audience</code>" in article
    assert "1 to 200 characters" in article
    assert "Needs the permission <code>insights.write</code>: analyst, manager or admin" in re.sub(r"\s+", " ", article)
    assert "curl -X POST" in article
    assert "audience_id" in article


@pytest.mark.parametrize("address", ["/api/docs/nothing", "/api/docs/sync", "/api/docs/nothing.json"])
def test_a_contract_there_is_not_is_a_page_for_a_browser_and_json_for_a_program(anonymous, address):
    seen = anonymous.get(address, headers={"Accept": "text/html"})
    assert (seen.status_code, seen.mimetype) == (404, "text/html")
    read = anonymous.get(address)
    assert (read.status_code, read.json["code"]) == (404, "NOT_FOUND")


def test_the_pages_stay_open_to_someone_whose_credential_is_no_good(anonymous):
    answer = anonymous.get("/api/docs/insight.json", headers={"Authorization": "Bearer nonsense"})
    assert answer.status_code == 200
