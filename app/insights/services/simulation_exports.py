"""A simulation's report as a file: Markdown to read, CSV to calculate with."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import Any

from app.core.clock import iso
from app.insights.models import Audience, PanelReply, Simulation
from app.insights.services.simulation_report import STANCE_WORDS, usage_of

COLUMNS = ("persona", "segment", "stance", "stance_word", "reasons", "objections", "would_change", "quote",
           "provider", "model", "input_tokens", "output_tokens", "cost_usd", "latency_ms", "error")  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_MARKUP = re.compile(r"([\\`*_\[\]|<>~])")
_BLOCK_START = re.compile(r"^([-+#=]|\d+(?=[.)]))")


def filename(simulation: Simulation, extension: str) -> str:
    """Plain letters, so that every system takes it."""
    words = re.findall(r"[a-z0-9]+", simulation.name.lower())
    return f"{'-'.join(words)[:60] or 'simulation'}-{simulation.id}.{extension}"


def as_csv(replies: Iterable[PanelReply]) -> str:
    """One row a persona. Text that a spreadsheet would run as a formula is made plain with an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for reply in replies:
        writer.writerow([_plain(value) for value in _cells(reply)])
    return "\ufeff" + out.getvalue()  # the mark tells Excel that this is UTF-8


def _cells(reply: PanelReply) -> list[Any]:
    cost = "" if reply.cost_micros is None else f"{reply.cost_micros / 1_000_000:.6f}"
    word = STANCE_WORDS.get(reply.stance or 0, "")
    return [
        reply.persona_name, reply.segment_name, reply.stance, word, "; ".join(reply.reasons),
        "; ".join(reply.objections), reply.would_change, reply.quote, reply.provider, reply.model,
        reply.input_tokens, reply.output_tokens, cost, reply.latency_ms, reply.error,
    ]  # fmt: skip


def _plain(value: Any) -> Any:
    if not isinstance(value, str):
        return "" if value is None else value
    return f"'{value}" if value.lstrip(" \n").startswith(_FORMULA) else value


def as_markdown(simulation: Simulation, audience: Audience, replies: Sequence[PanelReply]) -> str:
    """The whole report; what people and models wrote is escaped, so it cannot become markup."""
    results = simulation.results or {}
    lines = [f"# {_esc(simulation.name)}", ""]
    lines += [f"**{_esc(results['headline'])}**", ""] if results.get("headline") else []
    lines += [f"{_esc(simulation.description)}", ""] if simulation.description else []
    lines += [f"Audience: {_esc(audience.name)}. Seed {simulation.seed}. {iso(simulation.created_at)}", ""]
    lines += _quoted("Question", simulation.question) + _quoted("Message", simulation.message)
    lines += _figures(results) + _segments(results.get("segments", []))
    for title, key in (("Objections", "objections"), ("Reasons", "reasons"), ("What to change", "changes")):
        lines += _ranked(title, results.get(key, []))
    lines += ["## Who said what", ""]
    for reply in replies:
        lines += _person(reply)
    return "\n".join([*lines, *_byline(replies)]).rstrip() + "\n"


def _esc(text: object) -> str:
    line = _MARKUP.sub(r"\\\1", " ".join(str(text).split()))
    return _BLOCK_START.sub(lambda found: f"{found[1]}\\" if found[1].isdigit() else f"\\{found[1]}", line)


def _quoted(title: str, text: str) -> list[str]:
    return [f"**{title}**", "", *(f"> {_esc(line)}" for line in text.splitlines()), ""] if text else []


def _figures(results: dict[str, Any]) -> list[str]:
    if results.get("mean_stance") is None:
        return []
    lines = [f"- Mean stance: {results['mean_stance']:.2f} of 5 ({results['answered']} of {results['asked']} answered)"]
    if results.get("weighted"):
        lines.append(f"- Weighted by segment size: {results['weighted']['mean_stance']:.2f} of 5")
    counts = (f"{STANCE_WORDS[int(key)].lower()} {n}" for key, n in results["distribution"].items())
    return [*lines, f"- Answers: {', '.join(counts)}", ""]


def _segments(parts: Sequence[dict[str, Any]]) -> list[str]:
    if not parts:
        return []
    head = [
        "## By segment",
        "",
        "| Segment | Share | Answered | Mean | 1 | 2 | 3 | 4 | 5 |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    rows = []
    for part in parts:
        share = f"{part['size_percentage']} %" if part["size_percentage"] is not None else ""
        counts = " | ".join(str(n) for n in part["distribution"].values())
        rows.append(f"| {_esc(part['name'])} | {share} | {part['answered']} | {part['mean_stance']:.2f} | {counts} |")
    return [*head, *rows, ""]


def _ranked(title: str, entries: Sequence[dict[str, Any]]) -> list[str]:
    if not entries:
        return []
    return [f"## {title}", "", *(f"{n}. {_esc(e['text'])} ({e['count']})" for n, e in enumerate(entries, 1)), ""]


def _person(reply: PanelReply) -> list[str]:
    head = f"### {_esc(reply.persona_name)}, {_esc(reply.segment_name)}"
    if reply.stance is None:
        return [head, "", f"No answer: {_esc(reply.error or '')}", ""]
    lines = [head, "", f"{reply.stance} of 5, {STANCE_WORDS[reply.stance].lower()}", "", f"> {_esc(reply.quote)}", ""]
    lines += [f"- For: {_esc(reason)}" for reason in reply.reasons]
    lines += [f"- Against: {_esc(objection)}" for objection in reply.objections]
    return [*lines, *([f"- Would change it: {_esc(reply.would_change)}"] if reply.would_change else []), ""]


def _byline(replies: Sequence[PanelReply]) -> list[str]:
    usage = usage_of(replies)
    if not usage.models:
        return []
    names = ", ".join(
        "built-in analyst" if provider == "builtin" else f"{provider} {model}" for provider, model in usage.models
    )
    cost = "price unknown" if usage.cost_micros is None else f"${usage.cost_micros / 1_000_000:.4f}"
    tokens = usage.input_tokens + usage.output_tokens
    return ["---", f"Answers by {_esc(names)}; {tokens:,} tokens, {cost}, {usage.latency_ms / 1000:.1f} s."]
