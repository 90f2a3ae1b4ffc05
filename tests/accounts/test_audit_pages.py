"""The audit log as a page: sentences, what each row tells, and an address that keeps the search."""

from __future__ import annotations

import html
import re

import pytest

URL = "/app/settings/audit"


def text_of(answer) -> str:
    """What a reader sees, tags and runs of space taken out."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


def sentences(answer) -> list[str]:
    found = re.findall(r'<span class="key-entry__t">(.*?)</span>', answer.text, flags=re.DOTALL)
    return [html.unescape(re.sub(r"</?b>", "", one)).strip() for one in found]


@pytest.fixture
def named(client):
    """`client`, whose person has a name."""
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/app/settings/you").text)[1]
    client.post("/app/settings/you/name", data={"csrf_token": token, "name": "Ines Moreau"})
    return client


@pytest.fixture
def write(member, in_tenant):
    """Enter something in the log as `member` in a browser."""

    def enter(action: str, label: str = "", **values) -> None:
        from app.accounts.services import audit
        from app.core.db import unit_of_work

        audit.set_actor(audit.Actor(member.id, member.email, "browser:1", "192.0.2.7", "Mozilla/5.0 Firefox/1", "req"))
        with in_tenant(member.tenant_id), unit_of_work():
            audit.record(action, label=label, **values)

    return enter


@pytest.mark.parametrize(
    ("action", "values", "sentence"),
    [
        ("user.updated", {"after": {"role": "manager"}}, "Ines Moreau changed the role of Sam to manager"),
        ("user.updated", {"after": {"role": "viewer", "is_active": False}}, "Ines Moreau changed the account of Sam"),
        ("user.updated", {"after": {"is_active": False}}, "Ines Moreau deactivated Sam"),
        ("user.updated", {"after": {"is_active": True}}, "Ines Moreau activated Sam"),
        ("tenant.updated", {"after": {"requires_mfa": True}}, "Ines Moreau made two-factor a must for everyone"),
        ("mfa.enabled", {"after": {"method": "totp"}}, "Ines Moreau turned two-factor on"),
        ("invitation.created", {"after": {"role": "viewer"}}, "Ines Moreau invited Sam as viewer"),
        ("api_key.revoked", {}, "Ines Moreau revoked the API key Sam"),
        ("session.started", {}, "Ines Moreau signed in"),
        ("session.ended", {"after": {"reason": "signed out"}}, "Ines Moreau signed out"),
        ("session.refused", {}, "Someone tried to sign in as Ines Moreau and was refused"),
        ("audience.deleted", {}, "Ines Moreau deleted the audience Sam"),
        ("gift_card.sent_back", {}, "Ines Moreau sent back the gift card Sam"),
        ("nonsense", {}, "Ines Moreau changed nonsense Sam"),
    ],
)
def test_an_entry_reads_as_a_sentence(named, write, action, values, sentence):
    write(action, "Sam", **values)
    assert sentences(named.get(URL))[0] == sentence


def test_a_row_tells_the_change_field_by_field_and_where_it_came_from(named, write, member):
    write("thing.changed", "Sam", before={"role": "viewer", "may_<b>": None}, after={"role": "admin", "is_on": True})
    answer = named.get(URL)
    seen = text_of(answer)
    for part in (
        "role viewer admin", "may <b> nothing –", "is on – yes", "192.0.2.7", member.email, "thing.changed", "req",
        "A browser (no. 1)",
    ):  # fmt: skip
        assert part in seen, part
    assert "may <b>" not in answer.text


def test_a_value_that_holds_markup_stays_text(named, write):
    write("thing.changed", '<script>alert(1)</script>{{ 7 * 7 }}"', after={"x": "<img src=x>"})
    answer = named.get(URL)
    assert "<script>alert" not in answer.text
    assert "<img src=x>" not in answer.text
    assert "{{ 7 * 7 }}" in text_of(answer)


def test_older_entries_are_reached_without_counting(named, write):
    for number in range(35):
        write("thing.made", f"number {number}")
    first = named.get(f"{URL}?action=thing")
    assert len(sentences(first)) == 30
    older = re.search(r'href="([^"]+)"[^>]*>Older entries', first.text)[1]
    second = named.get(html.unescape(older))
    assert [one.split()[-1] for one in sentences(second)] == ["4", "3", "2", "1", "0"]
    assert "Older entries" not in second.text
    part = named.get(html.unescape(older), headers={"HX-Request": "true"})
    assert sentences(part) == sentences(second)
    assert "<html" not in part.text


def test_the_address_keeps_the_search_and_so_do_the_downloads(named, write):
    write("thing.made", "Sam")
    query = "actor=ines&action=api_key&credential=browser&from=2026-01-01&to=2099-01-01&q=sa"
    page = named.get(f"{URL}?{query}").text
    for field in ('value="ines"', 'value="api_key" selected', 'value="browser" selected', 'value="2026-01-01"'):
        assert field in page, field
    export = html.unescape(re.search(r'href="(/app/settings/audit/export\?format=csv[^"]*)"', page)[1])
    assert export.endswith("&actor=ines&action=api_key&q=sa&credential=browser&from=2026-01-01&to=2099-01-01")
    downloaded = named.get(f"{URL}/export?format=csv&action=thing")
    assert "attachment" in downloaded.headers["Content-Disposition"]
    assert "Sam" in downloaded.text


def test_what_nothing_fits_and_what_cannot_be_meant_are_said(named):
    assert "No entry of the log fits all of this" in text_of(named.get(f"{URL}?q=nothing-like-it"))
    bad = named.get(f"{URL}?from=yesterday&q=kept")
    assert bad.status_code == 422
    assert "Enter a date of the calendar." in text_of(bad)
    assert 'value="kept"' in bad.text
    assert named.get(f"{URL}?before=soon").status_code == 422


@pytest.mark.parametrize("role", ["viewer", "analyst", "manager"])
def test_only_who_may_read_the_log_is_led_to_it(client_for, make_member, member, named, role):
    colleague = client_for(make_member(role, member.tenant_id))
    page = colleague.get("/app/settings/you").text
    for path in (URL, "/app/settings/api-keys"):
        assert f'href="{path}"' in named.get("/app/settings/you").text
        assert f'href="{path}"' not in page
        refused = colleague.get(path, headers={"Accept": "text/html"})
        assert refused.status_code == 403
        assert "<html" in refused.text
