"""Templates under campaigns: what runs keeps its text, what may still be sent stays, what was sent stays readable."""

from __future__ import annotations

import pytest

from app.core.db import unit_of_work
from app.core.errors import Conflict, NotFound
from app.messaging.queries import templates as queries
from app.messaging.services import recipients, templates
from tests.messaging.campaign import house, twilio

__all__ = ["house", "twilio"]


def bodies(twilio):
    return [call["body"]["Body"] for call in twilio.received("twilio") if call["path"].endswith("Messages.json")]


def test_a_campaign_sends_the_text_it_was_made_with_whatever_becomes_of_the_template(house, twilio):
    house.people(2, name="Ann Lee")
    template_id = house.template("Hi {first_name}, first words")
    campaign_id = house.campaign(house.segment(), template_id, tracks_links=False)
    with unit_of_work():
        templates.update(template_id, content="Other words for {first_name}")
    house.launch(campaign_id)
    assert bodies(twilio) == ["Hi Ann, first words"] * 2


def test_a_template_a_campaign_may_still_send_is_not_deleted_and_the_refusal_says_which(house):
    template_id = house.template()
    house.campaign(house.segment(), template_id, name="Spring")
    with pytest.raises(Conflict, match="This template is used by campaign Spring"), unit_of_work():
        templates.delete(template_id)
    assert templates.get(template_id).name == "Hello"


def test_a_template_that_was_sent_is_hidden_its_name_free_and_its_text_kept_for_the_campaign(house):
    house.people(1)
    template_id = house.template("What was sent to {name|you}")
    campaign_id = house.campaign(house.segment(), template_id)
    house.launch(campaign_id)
    version_id = recipients.list_variants(campaign_id)[0].version_id
    with unit_of_work():
        templates.delete(template_id)
    with pytest.raises(NotFound):
        templates.get(template_id)
    assert queries.list_rows(1, 10).total == 0
    assert queries.find_version(template_id, 1).id == version_id
    assert queries.find_version(template_id, 1).content == "What was sent to {name|you}"
    house.template(name="Hello")


def test_who_lacks_a_value_is_left_out_of_a_campaign_and_a_fallback_keeps_them_in(house, twilio):
    house.people(1, traits={"city": "Leeds"})
    house.people(1)
    strict = house.campaign(house.segment(), house.template("From {city}", name="Strict"))
    house.launch(strict)
    assert sorted(house.reasons(strict).values()) == ["missing_variable", "queued"]
    assert bodies(twilio) == ["From Leeds"]
