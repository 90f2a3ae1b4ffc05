"""The API documents for people and programs: /api/docs, /api/docs/<contract>, /api/docs/<contract>.json."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, Flask, Response, current_app, jsonify, render_template

from app.core import openapi
from app.core.contract_dialects import tobermory_dialect
from app.core.contract_limits import ALLOWANCES, LIMITS
from app.core.contracts import Contract, find_contract
from app.core.dialects import json_or_html, register_dialect
from app.core.docs_view import error_example, groups
from app.core.errors import NotFound
from app.core.links import absolute
from app.core.openapi_faults import FAULTS
from app.core.ratelimit import Limit

bp = Blueprint("docs", __name__, url_prefix="/api/docs")


@dataclass(frozen=True)
class ContractCard:
    """A contract as the first page lists it."""

    contract: Contract
    operations: int
    error: str
    with_credential: str
    without: str


@bp.get("")
def index() -> str:
    """The contracts there are, and what holds for all of them."""
    cards = [_card(contract) for contract in openapi.live_contracts(_app())]
    return render_template("docs/index.html", cards=cards, faults=FAULTS, base=absolute("/").rstrip("/"))


@bp.get("/<contract_name>")
def show(contract_name: str) -> str:
    """One contract to read: every operation with its fields, examples and answers."""
    contract = _find(contract_name)
    made = openapi.document(_app(), contract)
    parts = groups(made, absolute("/").rstrip("/"))
    error = error_example(made, contract.error.__name__)
    return render_template("docs/contract.html", contract=contract, groups=parts, error=error, faults=FAULTS)


@bp.get("/<contract_name>.json")
def document(contract_name: str) -> Response:
    """The contract's OpenAPI 3.1 document."""
    return jsonify(openapi.document(_app(), _find(contract_name)))


def _find(name: str) -> Contract:
    contract = find_contract(name)
    if contract is None or contract not in openapi.live_contracts(_app()):
        raise NotFound("There is no such contract.")
    return contract


def _card(contract: Contract) -> ContractCard:
    made = openapi.document(_app(), contract)
    allowance = ALLOWANCES[contract.name]
    return ContractCard(
        contract,
        sum(len(methods) for methods in made["paths"].values()),
        error_example(made, contract.error.__name__),
        _rate(LIMITS[allowance.known]),
        _rate(LIMITS[allowance.unknown]),
    )


def _rate(limit: Limit) -> str:
    """`600 in a minute`."""
    windows = {1: "a second", 60: "a minute", 3600: "an hour", 86400: "a day"}
    return f"{limit.uses:,} in {windows.get(limit.window_seconds, f'{limit.window_seconds:,} seconds')}"


def _app() -> Flask:
    return current_app._get_current_object()  # type: ignore[attr-defined]


def init_app(app: Flask) -> None:
    register_dialect("/api/docs", json_or_html(tobermory_dialect))
    app.register_blueprint(bp)
