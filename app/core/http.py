"""Reading requests: JSON bodies against a schema, whole numbers from a query string, ids in addresses."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from ipaddress import ip_address, ip_network
from math import isfinite
from typing import Any, TypeVar

from flask import Flask, current_app, request
from pydantic import BaseModel, ValidationError
from werkzeug.routing import IntegerConverter, Map

from app.core.errors import BadRequest, UnsupportedMediaType, ValidationFailed

_LONG_PART = re.compile("[^/]{40,}")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_VALID = re.compile("(a valid [^,]+), .*", re.DOTALL)
SchemaT = TypeVar("SchemaT", bound=BaseModel)
ViewT = TypeVar("ViewT", bound=Callable[..., Any])
FORM_AROUND_A_FILE = 64 * 1024
MOST_SHOWN = 100


def read_json(schema: type[SchemaT], *, refuses_unstorable: bool = True) -> SchemaT:
    """The request's body as `schema`: 415 for another content type, 400 for broken JSON, 422 naming each bad field.

    JSON has types, so they are taken at their word: "1" is no number and 1 no boolean, as they are in a form.
    Without `refuses_unstorable` the caller looks for such texts and for types: one bad row is no bad body.
    """
    _check_described("body", schema)
    body = read_json_object(refuses_unstorable=refuses_unstorable)
    if not refuses_unstorable:
        return validate(schema, body)
    try:
        return schema.model_validate_json(request.get_data(cache=True), strict=True)
    except ValidationError as error:
        raise as_validation_failed(error) from None


def read_query(schema: type[SchemaT]) -> SchemaT:
    """The query string as `schema`: 422 naming each bad parameter; one given empty counts as not given."""
    _check_described("query", schema)
    return validate(schema, {name: value for name, value in request.args.items() if value != ""})


def _check_described(part: str, schema: type[BaseModel]) -> None:
    """A route that is described validates with just what its document says."""
    operation = getattr(current_app.view_functions.get(request.endpoint or ""), "operation", None)
    if operation is not None and getattr(operation, part) is not schema:
        raise RuntimeError(f"{request.endpoint} reads {schema.__name__}, which its description does not name.")


def read_json_object(*, refuses_unstorable: bool = True) -> dict[str, Any]:
    """The request's body as a JSON object."""
    if request.mimetype != "application/json" and not request.mimetype.endswith("+json"):
        raise UnsupportedMediaType("Send the body as JSON, with Content-Type: application/json.")
    try:
        body = json.loads(request.get_data(cache=True).decode(), parse_constant=_refuse_constant)
        field = _unstorable_field(body) if refuses_unstorable else None
    except (ValueError, RecursionError):
        raise BadRequest("The body is not valid JSON.", code="malformed_json") from None
    if field is not None:
        raise ValidationFailed(f"{field}: has a character that cannot be kept (NUL or half a pair).", field=field)
    if not isinstance(body, dict):
        raise ValidationFailed("The body must be a JSON object.", field="")
    return body


def _unstorable_field(value: Any, path: str = "") -> str | None:
    """Where a text stands that no database of ours keeps: a NUL (PostgreSQL refuses it) or half a surrogate pair."""
    if isinstance(value, str):
        return path if _UNSTORABLE.search(value) else None
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        here = f"{path}.{key}" if path else str(key)
        if isinstance(key, str) and _UNSTORABLE.search(key):
            return path or "a field name"
        found = _unstorable_field(inner, here)
        if found is not None:
            return found
    return None


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def validate(schema: type[SchemaT], values: Any) -> SchemaT:
    """`values` as `schema`, or ValidationFailed naming the first bad field and listing all of them."""
    try:
        return schema.model_validate(values)
    except ValidationError as error:
        raise as_validation_failed(error) from None


def as_validation_failed(error: ValidationError) -> ValidationFailed:
    problems = [
        {"field": ".".join(str(part) for part in item["loc"]), "message": _plain(item)} for item in error.errors()[:50]
    ]
    first = problems[0]
    message = f"{first['field']}: {first['message']}" if first["field"] else first["message"]
    failure = ValidationFailed(message, field=first["field"], errors=problems)
    failure.given = _given(error.errors()[0])
    return failure


def _given(item: Any) -> dict[str, Any]:
    if item["type"] == "missing":
        return {"provided": None, "expected": "a value"}
    return {"provided": shown(item["input"]), "expected": _expected(item)}


def _expected(item: Any) -> str:
    """What would have been taken, without why this was not."""
    if item["type"] == "extra_forbidden":
        return "no such field"
    text = _plain(item).removeprefix("Input should be ")
    named = _VALID.fullmatch(text)
    return named[1] if named else text


def shown(value: Any) -> Any:
    """A value given back to its sender, cut when it is long, without what no database keeps and JSON cannot say."""
    if value is None or isinstance(value, bool | int) or (isinstance(value, float) and isfinite(value)):
        return value
    text = value if isinstance(value, str) else repr(value)
    text = text.encode("utf-8", "replace").decode().replace("\0", "?")
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}…"


def _plain(item: Any) -> str:
    message: str = item["msg"]
    return message.removeprefix("Value error, ")


def int_argument(name: str, default: int | None = None, *, low: int = 1, high: int = 2**31) -> int | None:
    """A whole number from the query string, or 422."""
    text = request.args.get(name)
    if text is None or text == "":
        return default
    if not re.fullmatch("[0-9]{1,12}", text) or not low <= int(text) <= high:
        failure = ValidationFailed(f"{name}: must be a whole number from {low} to {high}.", field=name)
        failure.given = {"provided": shown(text), "expected": f"a whole number from {low} to {high}"}
        raise failure
    return int(text)


FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


def wants_json() -> bool:
    """Whether the caller speaks JSON, on addresses that are a contract's for programs and pages for browsers.

    A browser posts forms and names text/html in Accept; anything else is a program.
    """
    if request.mimetype in FORMS or "HX-Request" in request.headers:
        return False
    return request.is_json or "text/html" not in request.headers.get("Accept", "")


def takes_upload(limit: Callable[[], int]) -> Callable[[ViewT], ViewT]:
    """Mark a view that takes files of up to `limit` bytes: it reads its form itself, once the caller is known."""

    def decorate(view: ViewT) -> ViewT:
        view.upload_limit = limit  # type: ignore[attr-defined]
        return view

    return decorate


def allow_upload() -> None:
    """Let a body past the usual size where files are taken."""
    limit = _upload_limit()
    if limit is not None:
        request.max_content_length = limit() + FORM_AROUND_A_FILE


def is_upload() -> bool:
    """Whether this request's view takes files."""
    return _upload_limit() is not None


def _upload_limit() -> Callable[[], int] | None:
    return getattr(current_app.view_functions.get(request.endpoint or ""), "upload_limit", None)


def refuse_nul() -> None:
    """Refuse a NUL in the address or a form: no field means it, and PostgreSQL would fail on it."""
    texts = [request.path, *request.args, *request.args.values()]
    if not is_upload() and request.mimetype in FORMS and request.method not in ("GET", "HEAD"):
        texts += [*request.form, *request.form.values()]
    if any("\0" in text for text in texts):
        raise BadRequest("The request holds a character that cannot be kept.", code="bad_character")


class RowId(IntegerConverter):
    """`<int:…>` in an address: what no id can be is simply not found, on every database."""

    def __init__(self, url_map: Map, max: int = 2**31 - 1, **options: Any) -> None:
        super().__init__(url_map, max=max, **options)


def init_app(app: Flask) -> None:
    app.url_map.converters["int"] = RowId
    app.before_request(allow_upload)
    app.before_request(refuse_nul)


def shown_path() -> str:
    """The address as logs may keep it: without a token that is a part of it.

    At an address that leads nowhere, as a link with a stray end, anything as long as a token is hidden.
    """
    if request.view_args is None:
        return _LONG_PART.sub("[hidden]", request.path)
    token = request.view_args.get("token")
    return request.path.replace(token, "[hidden]") if token else request.path


def client_address() -> str:
    """The caller's address, as seen past the trusted proxies."""
    return request.remote_addr or "unknown"


def limited_address() -> str:
    """What limits count a caller without a credential by: of IPv6 the network, for its other half is theirs to vary."""
    text = client_address()
    try:
        address = ip_address(text)
    except ValueError:
        return text
    if address.version == 4:
        return text
    return str(address.ipv4_mapped or ip_network((address.packed[:8] + bytes(8), 64)))
