"""Whatever is asked of a campaign in whatever order: its state is in the table, and what is not there is refused."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.clock import utc_now
from app.core.db import unit_of_work
from app.core.errors import InvalidTransition
from app.messaging.models import EDITABLE, ENDED, TRANSITIONS, CampaignState
from app.messaging.services import campaigns
from tests.messaging.campaign import house, twilio

__all__ = ["house", "twilio"]
S = CampaignState
ACTIONS = {
    "launch": (campaigns.launch, {S.DRAFT: S.RUNNING, S.SCHEDULED: S.RUNNING, S.FAILED: S.RUNNING}),
    "pause": (campaigns.pause, {S.RUNNING: S.PAUSED}),
    "resume": (campaigns.resume, {S.PAUSED: S.RUNNING, S.FAILED: S.RUNNING}),
    "cancel": (campaigns.cancel, {one: S.CANCELLED for one in S if one not in ENDED}),
    "schedule": (
        lambda campaign_id: campaigns.schedule(campaign_id, utc_now() + timedelta(days=1)),
        {S.DRAFT: S.SCHEDULED, S.SCHEDULED: S.SCHEDULED},
    ),
    "unschedule": (campaigns.unschedule, {S.SCHEDULED: S.DRAFT}),
    "update": (
        lambda campaign_id: campaigns.update(campaign_id, campaigns.as_given(campaigns.get(campaign_id))),
        {S.DRAFT: S.DRAFT, S.SCHEDULED: S.SCHEDULED},
    ),
}
TIMES = settings(
    max_examples=40, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)


@TIMES
@given(actions=st.lists(st.sampled_from(sorted(ACTIONS)), min_size=1, max_size=10))
def check_sequence(actions, house, made):
    campaign_id = house.campaign(made.segment_id, made.template_id)
    state = CampaignState.DRAFT
    for name in actions:
        act, leads_to = ACTIONS[name]
        try:
            with unit_of_work():
                act(campaign_id)
            refused = False
        except InvalidTransition:
            refused = True
        now = CampaignState(house.load(campaign_id).state)
        assert refused == (state not in leads_to), f"{name} of a campaign that is {state}"
        assert now == (state if refused else leads_to[state]), f"{name} of a campaign that was {state}"
        assert now == state or now in TRANSITIONS[state], f"{state} became {now}, which the table does not know"
        state = now


def test_any_sequence_of_actions_keeps_to_the_table_and_refuses_what_is_not_there(house):
    house.people(1)
    check_sequence(house=house, made=SimpleNamespace(segment_id=house.segment(), template_id=house.template()))


def test_what_is_over_stays_over_and_only_what_has_not_begun_is_changed():
    assert not TRANSITIONS[S.CANCELLED]
    assert TRANSITIONS[S.COMPLETED] == {S.CANCELLED}, "as long as something of it is to be tried again"
    assert {one for one in S if S.DRAFT in TRANSITIONS[one] or one == S.DRAFT} == set(EDITABLE)
    assert set(TRANSITIONS) == set(S)


def test_each_state_can_be_reached_from_a_draft():
    reached, ahead = {S.DRAFT}, [S.DRAFT]
    while ahead:
        new = TRANSITIONS[ahead.pop()] - reached
        reached |= new
        ahead += new
    assert reached == set(S)
