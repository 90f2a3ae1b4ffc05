"""The insight contract's prompts: seven texts and whether research goes deep."""

from __future__ import annotations

from flask import Blueprint, Flask, Response, jsonify

from app.accounts.guards import current_user, require_permission
from app.ai.schemas import PromptsShown, PromptUpdate
from app.ai.services import prompts
from app.core.db import unit_of_work
from app.core.describe import Message, describe
from app.core.errors import ValidationFailed
from app.core.http import read_json

bp = Blueprint("prompts_api", __name__)


@bp.get("/admin/prompts")
@describe("Show the prompts", "Prompts", answers={200: PromptsShown})
@require_permission("ai.manage")
def show_prompts() -> Response:
    return jsonify(prompts.all_prompts())


@bp.put("/admin/prompts")
@describe("Change prompts", "Prompts", body=PromptUpdate, answers={200: Message})
@require_permission("ai.manage")
def update_prompts() -> Response:
    values = read_json(PromptUpdate).given()
    if not values:
        raise ValidationFailed("Name at least one prompt to change.", field="")
    with unit_of_work():
        prompts.update_prompts(values, user_id=current_user().id)
    return jsonify(message="Prompt configurations updated successfully")


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)
