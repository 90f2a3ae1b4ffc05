"""Pages of templates: the list, the editor without scripts, versions, and what is refused beside its field."""

from __future__ import annotations

import pytest

from tests.support.pages import Pages, text_of, words

LIST = "/app/templates"
CHECK = f"{LIST}/check"


class Templates(Pages):
    """What a marketer does with templates in a browser without scripts."""

    def save(self, name="Welcome", content="Hi {first_name|there}", url=f"{LIST}/new", **more):
        """Save; the template's id."""
        answer = self.post(url, name=name, content=content, **more)
        assert answer.status_code == 303, words(answer.text)
        return int(answer.location.rsplit("/", 1)[1])

    def check(self, **fields):
        return text_of(self.post(CHECK, **fields))


@pytest.fixture
def pages(client) -> Templates:
    return Templates(client)


@pytest.fixture
def three(people, run_jobs) -> dict[str, int]:
    """Ada and Bob agreed to SMS, Bob lives nowhere known; Cy agreed to nothing."""
    ids = {}
    for number, name in enumerate(("Ada", "Bob", "Cy")):
        traits = {"name": f"{name} Lee", "phone": f"+1415555010{number}"} | ({"city": "Leeds"} if name == "Ada" else {})
        ids[name] = people.send("signup", user_id=name, traits=traits)
    for name in ("Ada", "Bob"):
        people.post(f"/profiles/{ids[name]}/consent", {"channel": "sms", "state": "granted"})
    run_jobs()
    return ids


def test_without_templates_the_page_offers_texts_to_begin_with(pages):
    page = pages.text(LIST)
    assert "Write once, speak to each by name" in page
    assert all(name in page for name in ("Order confirmation", "We miss you", "Appointment reminder"))
    filled = pages.client.get(f"{LIST}/new?example=order").text
    assert 'value="Order confirmation"' in filled
    assert "{first_name|there}, your order is confirmed" in filled


def test_a_saved_template_stands_on_the_list_with_its_variables_and_parts(pages):
    pages.save("Welcome", "Hi {first_name|there} in {city}")
    assert "Welcome Hi {first_name|there} in {city} SMS Ready first_name, city 1" in pages.text(LIST)
    assert "Nothing found" in pages.text(f"{LIST}?q=absent")
    assert "Nothing found" in pages.text(f"{LIST}?channel=whatsapp")


def test_an_error_stands_beside_its_field_and_nothing_typed_is_lost(pages):
    refused = pages.post(f"{LIST}/new", name="Half a text", content="Hi {name", channel="sms")
    page = text_of(refused, 422)
    assert page.count("The brace at character 4 is opened and not closed") == 3, "summary, field and preview"
    assert 'value="Half a text"' in refused.text
    assert "Hi {name</textarea>" in refused.text
    pages.save("Taken")
    again = pages.post(f"{LIST}/new", name="Taken", content="Hi")
    assert "There is a template of this name already." in text_of(again, 409)


def test_a_look_shows_the_text_as_somebody_who_agreed_reads_it(pages, three):
    page = pages.check(content="Hi {first_name}!", channel="sms")
    assert "Hi Ada!" in page
    assert "As Ada Lee · 1 part" in page
    assert "Hi Bob!" in pages.check(content="Hi {first_name}!", channel="sms", position="0", step="next")
    assert "Hi Bob!" in pages.check(content="Hi {first_name}!", channel="sms", position="0", step="previous")
    assert "Hi Cy!" in pages.check(content="Hi {first_name}!", channel="sms", person=str(three["Cy"]))


def test_a_look_finds_people_by_name(pages, three):
    assert "Cy Lee" in pages.check(content="Hi", channel="sms", who="cy")
    assert "Nobody is called so." in pages.check(content="Hi", channel="sms", who="zed")


def test_a_look_counts_who_lacks_a_value_and_says_who_would_be_left_out(pages, three):
    page = pages.check(content="{city} calls, {first_name}", channel="sms", person=str(three["Bob"]))
    assert "city 1 of 2 lacks it, and would be left out" in page
    assert "first_name everyone has it" in page
    assert "Bob Lee has no city and the text no words for that" in page
    assert "for 1 person, 1.00 parts each at $0.0083; 1 of 2 looked at would be left out" in page
    assert "city 1 of 2 lacks it" in pages.check(content="{city|Town} calls", channel="sms")
    assert "nobody has it" in pages.check(content="{citty} calls", channel="sms")


def test_a_look_at_a_segment_speaks_of_its_people_only(pages, three, people, run_jobs):
    in_leeds = {"type": "trait", "trait": "city", "operator": "equals", "value": "Leeds"}
    segment = people.post("/segments", {"name": "Leeds", "conditions": in_leeds})
    run_jobs()
    page = pages.check(content="Hi {first_name}", channel="sms", segment=str(segment["id"]))
    assert "about $0.0083 for 1 person" in page
    assert "Nobody in this segment has a number and agreed to WhatsApp yet" in pages.check(
        content="Hi", channel="whatsapp", segment=str(segment["id"])
    )


def test_parts_and_encoding_follow_the_text(pages):
    assert "160 of 1,600 characters 1 part GSM-7 0 left in this part" in pages.check(content="x" * 160, channel="sms")
    assert "161 of 1,600 characters 2 parts GSM-7 145 left" in pages.check(content="x" * 161, channel="sms")
    assert "71 of 1,600 characters 2 parts UCS-2 63 left" in pages.check(content="ж" * 71, channel="sms")


def test_typographic_quotes_are_offered_to_be_written_plainly(pages):
    content = "“Hello” " + "x" * 100
    assert "Written without “ ” it needs 1 part instead of 2." in pages.check(content=content, channel="sms")
    page = pages.post(f"{LIST}/new", name="Quotes", content=content, channel="sms", do="plain")
    assert "&#34;Hello&#34; xxx" in page.text
    assert "Nothing" not in pages.text(LIST), "looking saves nothing"


def test_another_text_is_a_version_that_says_what_changed_and_an_earlier_one_comes_back(pages):
    one = pages.save(content="Hi {first_name}, welcome")
    pages.save(content="Hello {first_name|you}, welcome", url=f"{LIST}/{one}")
    page = pages.client.get(f"{LIST}/{one}/versions/2").text
    assert "<del>Hi</del><ins>Hello</ins>" in page
    assert "<del>{first_name}</del><ins>{first_name|you}</ins>, welcome" in page
    pages.post(f"{LIST}/{one}/versions/1/restore")
    assert "Version 3 Hi {first_name}, welcome" in pages.text(f"{LIST}/{one}")
    assert pages.client.get(f"{LIST}/{one}/versions/9").status_code == 404


def test_a_copy_has_a_name_of_its_own(pages):
    one = pages.save()
    for name in ("Welcome, copy", "Welcome, copy 2"):
        pages.post(f"{LIST}/{one}/duplicate")
        assert name in pages.text(LIST)


def test_a_template_out_of_use_says_so_and_a_deleted_one_is_gone(pages):
    one = pages.save()
    pages.post(f"{LIST}/{one}/active", active="no")
    assert "Not in use" in pages.text(LIST)
    assert "new campaigns cannot choose it" in pages.text(f"{LIST}/{one}")
    assert pages.post(f"{LIST}/{one}/delete").location.endswith(LIST)
    assert pages.client.get(f"{LIST}/{one}").status_code == 404


def test_what_people_are_called_is_no_markup(pages, people, run_jobs):
    person = people.send("signup", user_id="x", traits={"name": "<b>Eve</b>", "phone": "+14155550199"})
    people.post(f"/profiles/{person}/consent", {"channel": "sms", "state": "granted"})
    run_jobs()
    page = pages.post(CHECK, content="Hi {name} {{7*7}}", channel="sms").text
    assert "Hi &lt;b&gt;Eve&lt;/b&gt; {7*7}" in page


def test_a_viewer_sees_how_it_reads_and_cannot_write(pages, client_for, make_member, member):
    one = pages.save()
    viewer = Templates(client_for(make_member("viewer", member.tenant_id)))
    page = viewer.client.get(f"{LIST}/{one}").text
    assert "Hi {first_name|there}" in page
    assert "<textarea" not in page
    assert viewer.client.get(f"{LIST}/new").status_code == 403
    assert viewer.post(f"{LIST}/{one}", name="x", content="x").status_code == 403


def test_another_tenants_template_is_not_found(pages, client_for, other_member):
    one = pages.save()
    theirs = Templates(client_for(other_member))
    for path in ("", "/approval", "/versions/1"):
        assert theirs.client.get(f"{LIST}/{one}{path}").status_code == 404
    for path in ("", "/duplicate", "/active", "/submit", "/delete", "/versions/1/restore"):
        assert theirs.post(f"{LIST}/{one}{path}", name="x", content="x").status_code == 404
    assert "Write once" in theirs.text(LIST)


def test_parts_and_price_are_counted_with_tracked_links_as_campaigns_send_them(pages, three, settings_override):
    settings_override(public_url="https://parley.example.com")
    said = pages.check(channel="sms", content="http://a.co/x ".ljust(158, "x"))
    assert "2 parts with tracked links" in said
    assert "2.00 parts each" in said
