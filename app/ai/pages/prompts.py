"""Prompt settings: read, reword, compare, restore."""

from __future__ import annotations

from typing import Any

from flask import Response, make_response, redirect, render_template, request, url_for

from app.accounts.guards import current_user, require_permission
from app.accounts.services import members
from app.ai.forms import as_text
from app.ai.pages.blueprint import bp, changed
from app.ai.services import diff, prompts
from app.ai.services.prompts import Prompt
from app.core.db import unit_of_work
from app.core.errors import AppError, NotFound
from app.core.http import int_argument

ABOUT = {
    "perplexity_prompt": ("Market research", "What research looks for, and how sources are cited."),
    "expert_reflection_prompt": ("Expert reflection", "The second opinion on a finished audience."),
    "run_simulation_prompt": ("Market simulation", "How each segment would meet the business."),
    "run_optimization_simulation_prompt": ("Optimisation", "What to change in the marketing, segment by segment."),
    "create_persona_prompt": ("Personas", "How the people of a segment are made."),
    "chat_with_persona_prompt": ("Conversations", "How a persona talks, and what it may claim."),
    "image_processing_prompt": ("Picture description", "The text an image generator is given."),
}


@bp.get("/prompts")
@require_permission("insights.read")
def list_prompts() -> str:
    rows = [(prompt, *ABOUT[prompt.name]) for prompt in prompts.current_prompts().values()]
    return render_template("settings/prompts.html", rows=rows, deep_research=prompts.deep_research())


@bp.post("/prompts/deep-research")
@require_permission("ai.manage")
def set_deep_research() -> Response | str:
    is_deep = as_text(request.form, "deep_research") == "on"
    with unit_of_work():
        prompts.update_prompts({prompts.DEEP_RESEARCH: is_deep}, user_id=current_user().id)
    message = "Research goes deep" if is_deep else "Research is quick"
    return changed(message, url_for(".list_prompts"), "settings/_prompts_deep.html", deep_research=is_deep)


@bp.get("/prompts/<name>")
@require_permission("insights.read")
def show_prompt(name: str) -> str:
    return render_template("settings/prompt.html", **_page(name))


@bp.post("/prompts/<name>")
@require_permission("ai.manage")
def save_prompt(name: str) -> Response:
    text = as_text(request.form, "text")
    prompts.get_prompt(name)
    try:
        with unit_of_work():
            names = prompts.update_prompts({name: text}, user_id=current_user().id)
    except AppError as error:
        page = render_template("settings/prompt.html", **_page(name), errors={"text": error.message}, typed=text)
        return make_response(page, error.status)
    return _back(name, "Saved as a new version" if names else "Nothing was changed")


@bp.post("/prompts/<name>/restore/<int:version>")
@require_permission("ai.manage")
def restore_prompt(name: str, version: int) -> Response:
    with unit_of_work():
        prompts.restore(name, version, user_id=current_user().id)
    return _back(name, "That wording is in use again")


def _back(name: str, message: str) -> Response:
    from flask import flash

    flash(message, "ok")
    return make_response(redirect(url_for(".show_prompt", name=name), 303))


def _page(name: str) -> dict[str, Any]:
    history = prompts.history(name)
    current = history[0]
    label, about = ABOUT[name]
    authors = {user_id: _author(user_id) for user_id in {entry.created_by for entry in history}}
    return {
        "prompt": current,
        "label": label,
        "about": about,
        "history": [(entry, authors[entry.created_by]) for entry in history],
        "comparison": _comparison(history, current),
        "longest": prompts.LONGEST_PROMPT,
    }


def _comparison(history: list[Prompt], current: Prompt) -> dict[str, Any] | None:
    """The version asked for beside the one in use."""
    version = int_argument("compare", low=0)
    if version is None or version == current.version:
        return None
    chosen = next((entry for entry in history if entry.version == version), None)
    if chosen is None:
        raise NotFound("There is no such version of this prompt.")
    return {"version": chosen, "pieces": diff.compare(chosen.text, current.text)}


def _author(user_id: int | None) -> str:
    if user_id is None:
        return "Parley"
    try:
        return members.get_member(user_id).user.display_name
    except NotFound:
        return "someone who has left"
