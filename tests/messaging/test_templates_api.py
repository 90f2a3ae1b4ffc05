"""The messaging contract's templates: made, listed, changed version by version, previewed, deleted."""

from __future__ import annotations

import pytest

BASE = "/messaging/api/v1/templates"
ORDER = (
    "Hi {customer_name}! Your order #{order_id} for ${total_amount} has been confirmed. "
    "Delivery to {address} expected by {delivery_date}."
)
ORDER_VARIABLES = ["customer_name", "order_id", "total_amount", "address", "delivery_date"]


class Templates:
    """The API as an integrator uses it."""

    def __init__(self, client):
        self.client = client

    def make(self, name="Welcome", content="Welcome {name}!", status=201, **more):
        answer = self.client.post(BASE, json={"name": name, "content": content, **more})
        assert answer.status_code == status, answer.text
        return answer.get_json()

    def change(self, made, status=200, **body):
        answer = self.client.put(f"{BASE}/{made['id']}", json=body)
        assert answer.status_code == status, answer.text
        return answer.get_json()

    def preview(self, made, status=200, **body):
        answer = self.client.post(f"{BASE}/{made['id']}/preview", json=body)
        assert answer.status_code == status, answer.text
        return answer.get_json()

    def names(self, query=""):
        return [one["name"] for one in self.client.get(f"{BASE}{query}").get_json()["templates"]]


@pytest.fixture
def api(client) -> Templates:
    return Templates(client)


def test_the_contracts_example_is_created_and_listed_as_it_shows(api):
    made = api.make("Order Confirmation", ORDER, variables=ORDER_VARIABLES)
    assert (made["variables"], made["character_count"], made["is_active"]) == (ORDER_VARIABLES, len(ORDER), True)
    [listed] = api.client.get(BASE).get_json()["templates"]
    assert listed == made


def test_a_text_renders_for_attributes_with_dollar_and_hash_before_its_variables(api):
    made = api.make("Order", ORDER)
    attributes = {
        "customer_name": "Ann", "order_id": 4711, "total_amount": 49.9, "address": "1 Mill Lane",
        "delivery_date": "2026-12-03",
    }  # fmt: skip
    shown = api.preview(made, attributes=attributes)
    assert shown["rendered"] == (
        "Hi Ann! Your order #4711 for $49.9 has been confirmed. Delivery to 1 Mill Lane expected by 3 Dec 2026."
    )
    assert (shown["missing"], shown["encoding"], shown["parts"]) == ([], "GSM-7", 1)


def test_a_value_that_is_missing_is_named_and_a_fallback_takes_its_place(api):
    made = api.make(content="Hi {first_name|there}, {city} calls from {company}")
    shown = api.preview(made, attributes={})
    assert shown["missing"] == ["city"]
    assert shown["rendered"].startswith("Hi there, [city] calls from ")


def test_a_preview_speaks_to_the_person_with_the_number(api, people):
    people.send("signup", user_id="ann", traits={"name": "Ann Lee", "phone": "+14155550123", "tier": "gold"})
    people.send("purchase", user_id="ann", properties={"amount": 30})
    made = api.make(content="Hi {first_name}, {tier} for {total_purchases} spent")
    assert api.preview(made, phone_e164="+1 415 555 0123")["rendered"] == "Hi Ann, gold for 30 spent"
    assert api.preview(made, 404, phone_e164="+14155550124")["error"] == "not_found"
    refused = api.preview(made, 400, phone_e164="0123")
    assert refused["details"] == {"field": "phone_e164", "provided": "0123", "expected": "E.164 format (+1234567890)"}


def test_a_preview_asks_for_one_person_not_two(api):
    made = api.make()
    api.preview(made, 400, phone_e164="+14155550123", attributes={})
    api.preview(made, 400)


@pytest.mark.parametrize(
    ("declared", "missing", "unknown"), [(["name"], ["city"], []), (["name", "city", "zip"], [], ["zip"])]
)
def test_declared_variables_must_be_those_of_the_text(api, declared, missing, unknown):
    refused = api.make(content="{name} in {city}", variables=declared, status=400)
    details = refused["details"]
    assert (details["field"], details["provided"], details["expected"]) == ("variables", declared, ["name", "city"])
    assert (details["missing"], details["unknown"]) == (missing, unknown)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"content": "  "}, "content"),
        ({"content": "x" * 1601}, "content"),
        ({"content": "Hi {name"}, "content"),
        ({"content": "Hi {}"}, "content"),
        ({"channel": "fax"}, "channel"),
        ({"language": "Klingon"}, "language"),
        ({"content": "x" * 1025, "channel": "whatsapp"}, "content"),
        ({"content": "Hi {name|} there", "channel": "whatsapp"}, "content"),
    ],
)
def test_what_cannot_be_sent_is_refused_with_the_field(api, body, field):
    refused = api.make(**body, status=400)
    assert refused["error"] == "validation_error"
    assert refused["details"]["field"] == field


def test_a_name_is_taken_once(api):
    made = api.make("Welcome")
    refused = api.make("Welcome", status=409)
    assert refused["details"]["field"] == "name"
    other = api.make("Other")
    api.change(other, 409, name="Welcome")
    assert api.change(made, name="Welcome")["name"] == "Welcome"


def test_another_text_is_a_new_version_and_another_name_is_not(api):
    made = api.make()
    assert made["version"] == 1
    assert api.change(made, name="Hello", is_active=False)["version"] == 1
    changed = api.change(made, content="Hello {name|you}")
    assert (changed["version"], changed["variables"], changed["fallbacks"]) == (2, ["name"], {"name": "you"})
    assert api.change(made, content="Hello {name|you}")["version"] == 2
    api.change(made, 400, content="Hello {name", variables=["name"])
    assert api.client.get(f"{BASE}/{made['id']}").get_json()["content"] == "Hello {name|you}"


def test_the_list_is_searched_filtered_and_paged(api):
    for name in ("Beta", "alpha", "Gamma"):
        api.make(name, content=f"text of {name}")
    api.make("Chat", channel="whatsapp", is_active=False)
    assert api.names() == ["alpha", "Beta", "Chat", "Gamma"]
    assert api.names("?q=OF%20be") == ["Beta"]
    api.make("Ölwechsel", content="Grüße, ÉTÉ")
    assert api.names("?q=öl") == api.names("?q=ÖL") == api.names("?q=été") == ["Ölwechsel"]
    assert api.names("?channel=whatsapp") == ["Chat"]
    assert api.names("?is_active=false") == ["Chat"]
    assert api.names("?page=2&per_page=3") == ["Gamma", "Ölwechsel"]


def test_a_deleted_template_is_gone_and_its_name_free(api):
    made = api.make()
    answer = api.client.delete(f"{BASE}/{made['id']}")
    assert answer.get_json() == {"message": "Template deleted successfully", "id": made["id"]}
    assert api.client.get(f"{BASE}/{made['id']}").status_code == 404
    api.make()


def test_another_tenants_template_is_not_found(api, client_for, other_member):
    made = api.make()
    theirs = Templates(client_for(other_member))
    url = f"{BASE}/{made['id']}"
    assert theirs.names() == []
    assert theirs.client.get(url).status_code == 404
    assert theirs.client.put(url, json={"name": "Mine"}).status_code == 404
    assert theirs.client.delete(url).status_code == 404
    assert theirs.client.post(f"{url}/preview", json={"attributes": {}}).status_code == 404
    assert api.names() == ["Welcome"]


def test_a_viewer_reads_and_does_not_write(api, client_for, make_member, member):
    made = api.make()
    viewer = Templates(client_for(make_member("viewer", member.tenant_id)))
    assert viewer.names() == ["Welcome"]
    assert viewer.client.post(BASE, json={"name": "x", "content": "x"}).status_code == 403
    assert viewer.client.delete(f"{BASE}/{made['id']}").status_code == 403


def test_making_changing_and_deleting_stand_in_the_audit_log(api):
    made = api.make()
    api.change(made, content="Hello {name}")
    api.client.delete(f"{BASE}/{made['id']}")
    entries = api.client.get("/api/v1/audit?limit=20").get_json()["items"]
    actions = [one["action"] for one in entries if one["action"].startswith("template.")]
    assert sorted(actions) == ["template.changed", "template.created", "template.deleted"]
