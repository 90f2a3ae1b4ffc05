"""Campaigns, what comes back, contacts and reports by the same tests over the other database."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("postgres")]
CAMPAIGNS = "campaigns_api campaign_log campaign_now campaign_pages caps forecasts lanes sending stop_holds"
COMES_BACK = "outcomes retries without_account troubles callbacks opt_outs confirmations threads_api thread_templates"
LATE = "late_answers slow_senders"
CONTACTS = "contacts_api uploads segments_api personal_data messages_alone remembered_stops"
REPORTS = "links variant_reports reporting_api monitoring_api report_pages country_counts alarms"


def test_messages_hold_on_postgresql_too(hold_on_postgresql):
    hold_on_postgresql(messaging=f"{CAMPAIGNS} {COMES_BACK} {LATE} {CONTACTS} {REPORTS}")
