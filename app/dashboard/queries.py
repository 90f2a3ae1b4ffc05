"""Figures and finds from many features, each page in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from app.ai.services.candidates import Source, list_candidates
from app.cdp.queries import pages_profiles, segment_pages
from app.core.config import get_settings
from app.core.jobs import BackgroundJob, list_live_jobs
from app.insights import queries as insights
from app.messaging.queries import campaigns, templates
from app.messaging.services.words import CAMPAIGN_STATES


@dataclass(frozen=True)
class Hit:
    """One thing found; `monogram` is a person's name where there is one."""

    title: str
    url: str
    detail: str = ""
    icon: str = ""
    monogram: str = ""
    index: int = 0
    needs: str = ""  # the permission without which it is not shown


@dataclass(frozen=True)
class Group:
    label: str
    icon: str
    hits: list[Hit] = field(default_factory=list)


PAGES = (
    Hit("Home", "/app", icon="home"),
    Hit("Audiences", "/app/audiences", icon="users-group"),
    Hit("New audience", "/app/audiences/new", "Describe a business", icon="plus"),
    Hit("Personas", "/app/personas", icon="user-circle"),
    Hit("Simulations", "/app/simulations", icon="flask"),
    Hit("New simulation", "/app/simulations/new", "Ask a panel of personas", icon="plus"),
    Hit("Conversations", "/app/conversations", icon="message-circle"),
    Hit("Profiles", "/app/profiles", "Everyone who is known", icon="address-book"),
    Hit("Segments", "/app/segments", "People who have something in common", icon="filter"),
    Hit("New segment", "/app/segments/new", "Say who you mean", icon="plus"),
    Hit("Events", "/app/events", "As they come in", icon="activity"),
    Hit("Imports", "/app/imports", "People and events from files", icon="database-import"),
    Hit("Campaigns", "/app/campaigns", "Messages to people who agreed", icon="send"),
    Hit("New campaign", "/app/campaigns/new", "Segment, text, time, review", icon="plus"),
    Hit("Templates", "/app/templates", "Texts of messages", icon="layout-list"),
    Hit("Report of messages", "/app/reports/messages", "What left, arrived and came back", icon="chart-bar"),
    Hit("Activity", "/app/activity", icon="activity"),
    Hit("You", "/app/settings/you", "Name, password, sessions", icon="user"),
    Hit("Team", "/app/settings/team", "People, roles, invitations", icon="users"),
    Hit("Workspace", "/app/settings/workspace", "Name, time zone, plan", icon="building"),
    Hit("All workspaces", "/app/settings/tenants", "Every customer here", icon="world", needs="tenants.manage"),
    Hit("AI providers", "/app/settings/ai", "Keys and order", icon="sparkles"),
    Hit("Prompts", "/app/settings/prompts", icon="file-text"),
    Hit("API keys", "/app/settings/api-keys", "For programs", icon="key", needs="api_keys.manage"),
    Hit(
        "Messaging",
        "/app/settings/messaging",
        "Account, senders, quiet hours, alarms",
        icon="message-circle",
        needs="messaging.manage",
    ),
    Hit("Webhooks", "/app/settings/webhooks", "What your systems hear", icon="send", needs="webhooks.manage"),
    Hit("Audit log", "/app/settings/audit", "Who did what", icon="list", needs="audit.read"),
    Hit("AI spend", "/app/settings/spend", icon="chart-bar"),
)
EACH = 6


def search(text: str, user_id: int, may: Callable[[str], bool]) -> list[Group]:
    """What bears this text in its name, group by group; with no text the pages and the newest audiences."""
    found = [
        Group("Pages", "file-text", _pages(text, may)[: EACH if text else 8]),
        Group("Audiences", "users-group", _audiences(text)),
    ]
    if text:
        found += [
            Group("Personas", "user-circle", _personas(text)),
            Group("Profiles", "address-book", _people(text)),
            Group("Segments", "filter", _segments(text)),
            Group("Campaigns", "send", _campaigns(text)),
            Group("Templates", "layout-list", _templates(text)),
            Group("Simulations", "flask", _simulations(text)),
            Group("Conversations", "message-circle", _conversations(text, user_id)),
        ]
    groups = [group for group in found if group.hits]
    return groups if not text else sorted(groups, key=lambda g: g.label == "Pages")


def _pages(text: str, may: Callable[[str], bool]) -> list[Hit]:
    """Pages of this name that the caller may open."""
    named = [page for page in PAGES if text.lower() in f"{page.title} {page.detail}".lower()]
    return [page for page in named if not page.needs or may(page.needs)]


def _audiences(text: str) -> list[Hit]:
    return [
        Hit(row.audience.name, f"/app/audiences/{row.audience.id}", row.audience.industry)
        for row in insights.list_audience_rows(text, EACH)
    ]


def _personas(text: str) -> list[Hit]:
    return [
        Hit(
            place.persona.name, f"/app/personas/{place.persona.id}", f"{place.segment.name}, {place.audience.name}",
            monogram=place.persona.name, index=place.segment.position + 1,
        )
        for place in insights.search_personas(text, limit=EACH)
    ]  # fmt: skip


def _people(text: str) -> list[Hit]:
    return [
        Hit(row.title, f"/app/profiles/{row.id}", row.detail, monogram=row.title)
        for row in pages_profiles.search_people(text, EACH)
    ]


def _segments(text: str) -> list[Hit]:
    return [
        Hit(row.name, f"/app/segments/{row.id}", row.description[:80])
        for row in segment_pages.find_segments(text, EACH)
    ]


def _campaigns(text: str) -> list[Hit]:
    return [
        Hit(row.name, f"/app/campaigns/{row.id}", CAMPAIGN_STATES[row.state][0])
        for row in campaigns.find_by_name(text, EACH)
    ]


def _templates(text: str) -> list[Hit]:
    return [
        Hit(row.template.name, f"/app/templates/{row.template.id}", row.version.content[:80])
        for row in templates.list_rows(1, EACH, q=text).items
    ]


def _simulations(text: str) -> list[Hit]:
    return [
        Hit(row.name, f"/app/simulations/{row.id}", row.description[:80])
        for row in insights.find_simulations(text, EACH)
    ]


def _conversations(text: str, user_id: int) -> list[Hit]:
    return [
        Hit(row.title or "Conversation", f"/app/conversations/{row.id}")
        for row in insights.find_conversations(text, user_id, EACH)
    ]


def running_jobs() -> list[dict[str, Any]]:
    """Live jobs as home shows them."""
    return [_job(row) for row in list_live_jobs()]


def _job(row: BackgroundJob) -> dict[str, Any]:
    title, _, kind = row.label.partition(": ")
    note = "waiting for a worker" if row.state == "queued" else row.progress_note
    return {
        "title": title, "kind": kind, "url": row.url, "done": row.progress_done, "total": row.progress_total,
        "note": note, "steps": None,
    }  # fmt: skip


def loop_steps(totals: insights.Totals) -> list[dict[str, Any]]:
    """The loop: what exists with its counts, what is to come without a link."""
    states = campaigns.count_by_state()
    return [
        {
            "label": "Know", "icon": "users-group", "url": "/app/audiences",
            "value": _plural(totals.audiences, "audience"),
            "note": f"{_plural(totals.personas, 'persona')}, {_plural(totals.conversations, 'conversation')}",
        },
        {
            "label": "Try", "icon": "flask", "url": "/app/simulations",
            "value": _plural(totals.simulations, "simulation"),
            "note": f"over {_plural(totals.segments, 'segment')}",
        },
        {
            "label": "Reach", "icon": "send", "url": "/app/campaigns",
            "value": _plural(sum(states.values()), "campaign"), "note": _reach_note(states),
        },
        {"label": "Learn", "icon": "chart-line", "note": "what was foretold, against what happened", "coming": True},
    ]  # fmt: skip


def _reach_note(states: dict[str, int]) -> str:
    """What of them moves now, or waits for its time."""
    for state, words in (("running", "sending now"), ("scheduled", "scheduled")):
        if states.get(state):
            return f"{states[state]:,} {words}"
    return "messages to people who agreed"


def checklist(totals: insights.Totals) -> list[dict[str, Any]]:
    """First steps, ticked by what is there."""
    return [
        {"label": "Describe an audience", "url": "/app/audiences/new", "done": totals.audiences > 0},
        {"label": "Talk with a persona", "url": "/app/personas", "done": totals.conversations > 0},
        {"label": "Ask a panel in a simulation", "url": "/app/simulations/new", "done": totals.simulations > 0},
        {"label": "Bring your customers", "url": "/app/profiles", "done": pages_profiles.has_people()},
        {"label": "Send a campaign", "url": "/app/campaigns/new", "done": campaigns.has_started()},
        {"label": "Add an AI key", "url": "/app/settings/ai", "done": has_model()},
    ]


def has_model() -> bool:
    """Whether a language model is in use besides the built-in analyst."""
    return any(candidate.source in (Source.TENANT, Source.PLATFORM) for candidate in list_candidates())


def sandbox_services() -> list[str]:
    """Names of the providers that a local twin answers for."""
    settings = get_settings()
    models = [candidate.label for candidate in list_candidates() if candidate.source == Source.SANDBOX]
    is_twin = bool(settings.sandbox_url) and settings.twilio_base_url.startswith(settings.sandbox_url)
    return [*models, "Twilio"] if is_twin else models


def _plural(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
