"""`/api/v1/cdp/lifecycle-rules`: what makes a lead, a customer, an active or a lost one."""

from __future__ import annotations

from flask import Blueprint, Flask, Response, jsonify

from app.accounts.guards import require_permission
from app.cdp.schemas.settings import LifecycleRulesIn, LifecycleRulesOut
from app.cdp.services import lifecycle_rules
from app.core.db import unit_of_work
from app.core.describe import describe
from app.core.http import read_json

bp = Blueprint("cdp_lifecycle_api", __name__, url_prefix="/api/v1/cdp/lifecycle-rules")
TAG = "CDP"


@bp.get("")
@describe("Lifecycle rules", TAG, answers={200: LifecycleRulesOut})
@require_permission("cdp.read")
def show() -> Response:
    return jsonify(lifecycle_rules.current())


@bp.put("")
@describe("Change lifecycle rules", TAG, body=LifecycleRulesIn, answers={200: LifecycleRulesOut}, errors=(503,))
@require_permission("cdp.write")
def change() -> Response:
    """Every profile is looked at again in the background."""
    rules = read_json(LifecycleRulesIn).model_dump(exclude_none=True)
    with unit_of_work():
        current = lifecycle_rules.save(rules)
    return jsonify(current)


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)
