"""An audience or one of its reports as a Markdown file."""

from __future__ import annotations

import re
from typing import Any

from app.ai.services.names import label_of
from app.insights.models import BRIEF_FIELDS, Audience, AudienceReport, AudienceSegment, AudienceStep, Step
from app.insights.queries import PersonaPlace
from app.insights.services.reports import TITLES

_MARKDOWN = re.compile(r"([\\`*_{}\[\]#!|<>~])")


def filename(name: str, row_id: int, extension: str) -> str:
    """Plain letters, so that every system takes it."""
    words = re.findall(r"[a-z0-9]+", name.lower())
    return f"{'-'.join(words)[:60] or 'audience'}-{row_id}.{extension}"


def audience_markdown(
    audience: Audience, steps: list[AudienceStep], segments: list[AudienceSegment], people: list[PersonaPlace]
) -> str:
    """The whole picture: brief, findings, segments with their personas, research with its sources."""
    lines = [f"# {_line(audience.name)}", "", _line(audience.summary), ""]
    lines += _section("Market size", [_line(audience.total_addressable_market)])
    lines += _section("Key insights", _bullets(audience.key_insights))
    lines += _section("Recommendations", _bullets(audience.recommendations))
    for segment in segments:
        lines += _segment(segment, [place for place in people if place.segment.id == segment.id])
    lines += _section("The brief", [f"- **{_label(f)}:** {_line(getattr(audience, f))}" for f in BRIEF_FIELDS])
    for step in steps:
        if step.name == Step.RESEARCH and step.text:
            lines += ["## Research", "", step.text, "", *_sources(step.citations)]
    makers = dict.fromkeys(f"{label_of(step.provider)} ({step.model})" for step in steps if step.provider)
    lines += [f"Made with {', '.join(makers)}.", ""] if makers else []
    return "\n".join(lines)


def report_markdown(report: AudienceReport) -> str:
    """The text, its sources, who wrote it."""
    maker = f"Written by {label_of(report.provider)} ({report.model}), {report.created_at:%d %B %Y}."
    return "\n".join([f"# {TITLES[report.prompt_type]}", "", report.text, "", *_sources(report.citations), maker, ""])


def _segment(segment: AudienceSegment, people: list[PersonaPlace]) -> list[str]:
    share = "" if segment.size_percentage is None else f" ({segment.size_percentage} %)"
    lines = [f"## {_line(segment.name)}{share}", "", _line(segment.description), ""]
    lines += [*_bullets(segment.key_characteristics), ""]
    if segment.marketing_approach:
        lines += [f"**Approach:** {_line(segment.marketing_approach)}", ""]
    for place in people:
        lines += [f"### {_line(place.persona.name)}", ""]
        lines += [f"- **{_label(key)}:** {_value(value)}" for key, value in place.persona.data.items()]
        lines.append("")
    return lines


def _section(title: str, lines: list[str]) -> list[str]:
    return [f"## {title}", "", *lines, ""] if any(lines) else []


def _sources(citations: list[Any]) -> list[str]:
    if not citations:
        return []
    found = [f"{c['number']}. {_line(c['title'])}, {_line(c['publisher'])} <{c['url']}>" for c in citations]
    return ["Sources:", "", *found, ""]


def _bullets(items: list[Any]) -> list[str]:
    return [f"- {_line(item)}" for item in items]


def _value(value: Any) -> str:
    if isinstance(value, list):
        return "; ".join(_value(item) for item in value)
    if isinstance(value, dict):
        return "; ".join(f"{_label(key)}: {_value(item)}" for key, item in value.items())
    return _line(value)


def _label(key: str) -> str:
    return _line(key).replace("\\_", " ").strip().capitalize()


def _line(value: Any) -> str:
    """One line of plain words: nothing in it is taken for Markdown or HTML."""
    return _MARKDOWN.sub(r"\\\1", " ".join(("" if value is None else str(value)).split()))
