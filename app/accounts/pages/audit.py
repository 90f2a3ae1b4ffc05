"""The audit log as a page: what happened in sentences, narrowed by an address that can be kept."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, make_response, render_template, request, stream_with_context

from app.accounts.forms import field_errors
from app.accounts.guards import require_permission
from app.accounts.models import AuditEntry
from app.accounts.schemas.audit import AuditExportQuery, AuditFields, show_entry
from app.accounts.services import audit_export, audit_words
from app.accounts.services.audit_search import list_entries, name_actors
from app.accounts.services.browsers import browser_name
from app.core.clock import utc_now
from app.core.db import unit_of_work
from app.core.errors import ValidationFailed
from app.core.htmx import render
from app.core.http import int_argument, read_query

bp = Blueprint("audit_pages", __name__, url_prefix="/app/settings/audit")
PAGE = 30
FILTERS = ("actor", "action", "q", "credential", "from", "to")
PAGE_TEMPLATE, PART = "settings/audit.html", "settings/_audit_entries.html"


@bp.get("")
@require_permission("audit.read")
def show_log() -> Response | str:
    try:
        wanted = read_query(AuditFields).as_filter()
        before_id = int_argument("before")
    except ValidationFailed as error:
        page = render_template(
            PAGE_TEMPLATE, **_frame(), errors=field_errors(error), rows=[], next_url=None, is_narrowed=True
        )
        return make_response(page, error.status)
    found = list_entries(wanted, PAGE + 1, before_id=before_id)
    shown = found[:PAGE]
    names = name_actors(shown)
    return render(
        PAGE_TEMPLATE,
        PART,
        **_frame(),
        errors={},
        rows=[_row(entry, names) for entry in shown],
        next_url=_address(before=shown[-1].id) if len(found) > PAGE else None,
        is_narrowed=not wanted.is_empty,
        is_older=before_id is not None,
    )


@bp.get("/export")
@require_permission("audit.read")
def export() -> Response:
    query = read_query(AuditExportQuery)
    wanted = query.as_filter()
    with unit_of_work():
        audit_export.note_export(wanted, query.format)
    found = audit_export.batches(wanted)
    body = audit_export.as_csv(found) if query.format == "csv" else audit_export.as_json(found, show_entry)
    response = Response(stream_with_context(body), content_type=f"{audit_export.MEDIA[query.format]}; charset=utf-8")
    response.headers["Content-Disposition"] = (
        f'attachment; filename="{audit_export.file_name(query.format, utc_now())}"'
    )
    return response


def _row(entry: AuditEntry, names: dict[int, str]) -> dict[str, Any]:
    before, after = entry.before or {}, entry.after or {}
    changes = [
        (name.replace("_", " "), _side(before, name), _side(after, name)) for name in dict.fromkeys([*before, *after])
    ]
    return {
        "entry": entry,
        "sentence": audit_words.say(entry, names),
        "changes": changes,
        "browser": browser_name(entry.browser) if entry.browser else "",
        "credential": audit_words.credential_words(entry.credential),
        "means": _means(entry),
        "subject": audit_words.subject_words(entry),
        "monogram": names.get(entry.actor_id or 0, ""),
    }


def _means(entry: AuditEntry) -> str:
    """Under the sentence: the browser for a person, the credential for a program."""
    is_person = entry.credential.startswith(("browser", "none")) and entry.browser
    return browser_name(entry.browser) if is_person else audit_words.credential_words(entry.credential)


def _side(values: dict[str, Any], name: str) -> str | None:
    return audit_words.value_words(values[name]) if name in values else None


def _frame() -> dict[str, Any]:
    chosen = {name: request.args.get(name, "") for name in FILTERS}
    return {
        "chosen": chosen,
        "kinds": audit_words.KINDS,
        "credentials": audit_words.CREDENTIALS,
        "export_query": urlencode({name: value for name, value in chosen.items() if value}),
    }


def _address(**more: Any) -> str:
    kept = {name: value for name in FILTERS if (value := request.args.get(name))}
    return f"/app/settings/audit?{urlencode(kept | more)}"
