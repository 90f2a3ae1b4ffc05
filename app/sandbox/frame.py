"""What every service shares: being mounted, recorded, and made to go wrong."""

from __future__ import annotations

import base64
import json
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from flask import Blueprint, Flask, Response, current_app, g, request

from app.sandbox.faults import Fault, status_of
from app.sandbox.state import Received, Sandbox

HTML_502 = (
    "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n"
    "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
)


@dataclass
class Service:
    """One outside service: its name (and prefix), its routes, and how it words an error.

    `control` are routes of its own under `/_control/NAME`. `pages` are paths under its prefix for people, no part of
    the service: they are not recorded and meet no fault.
    """

    name: str
    blueprint: Blueprint
    refuse: Callable[[int, Fault], Response]
    about: str = ""
    actions: dict[str, str] = field(default_factory=dict)
    control: Blueprint | None = None
    pages: tuple[str, ...] = ()


def init_app(app: Flask, services: list[Service]) -> None:
    """Mount the services, and put recording and faults before each of their views."""
    app.extensions["sandbox_services"] = {service.name: service for service in services}
    for service in services:
        app.register_blueprint(service.blueprint, url_prefix=f"/{service.name}")
        if service.control:
            app.register_blueprint(service.control, url_prefix=f"/_control/{service.name}")
    app.before_request(_meet)
    app.after_request(_lose_answer)


def sandbox() -> Sandbox:
    """The state of the running sandbox."""
    return cast(Sandbox, current_app.extensions["sandbox"])


def known_services() -> dict[str, Service]:
    """The mounted services by name."""
    return cast("dict[str, Service]", current_app.extensions["sandbox_services"])


def current_fault() -> Fault | None:
    """The fault this request was picked for."""
    return cast("Fault | None", g.get("fault"))


def fault_is(action: str) -> bool:
    """Whether this request was picked to go wrong in this way."""
    fault = current_fault()
    return fault is not None and fault.action == action


def drop_connection() -> None:
    """Break the connection under the answer, as a crash or a cable would."""
    connection: socket.socket | None = request.environ.get("werkzeug.socket")
    if connection is None:
        raise ConnectionResetError("The sandbox closed the connection on purpose.")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.shutdown(socket.SHUT_RDWR)


def json_response(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON answer with its keys in the order given."""
    return Response(json.dumps(body), status, headers, mimetype="application/json")


def retry_headers(status: int, fault: Fault) -> dict[str, str]:
    """When to come back, as the fault says; a 429 always names a time."""
    headers = {"retry-after": "2"} if status == 429 else {}
    if "retry_after" in fault.params:
        headers["retry-after"] = str(fault.params["retry_after"])
    if "retry_after_ms" in fault.params:
        headers["retry-after-ms"] = str(fault.params["retry_after_ms"])
    return headers


def _meet() -> Response | None:
    """Record a call to a service and let the fault it meets, if any, answer in its stead."""
    service = known_services().get(request.path.split("/")[1])
    if service is None or request.path.removeprefix(f"/{service.name}") in service.pages:
        return None
    state = sandbox()
    text = request.get_data(cache=True).decode("utf-8", "replace")
    fault = g.fault = state.faults.pick(service.name, request.path, text)
    state.received.append(_as_received(state, service.name, fault))
    return _common_fault(service, fault) if fault else None


def _as_received(state: Sandbox, service: str, fault: Fault | None) -> Received:
    return Received(
        at=state.clock.now().isoformat().replace("+00:00", "Z"),
        service=service,
        method=request.method,
        path=request.path,
        query=request.query_string.decode(),
        headers=dict(request.headers.items()),
        body=_body(),
        fault=fault.action if fault else None,
    )


def _body() -> Any:
    """The body as data where it is JSON or a form, else as text, else as base64."""
    raw = request.get_data(cache=True)
    is_form = bool(request.form or request.files)
    if is_form and raw[:1] not in (b"{", b"["):  # some send JSON and call it a form
        return {name: values if len(values) > 1 else values[0] for name, values in request.form.lists()}
    try:
        return json.loads(raw) if raw else None
    except ValueError:
        pass
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(raw).decode()}


def _common_fault(service: Service, fault: Fault) -> Response | None:
    """Do what every service can get wrong; None lets the view go on."""
    status = status_of(fault.action)
    if status is not None:
        return service.refuse(status, fault)
    match fault.action:
        case "insufficient_quota":
            return service.refuse(429, fault)
        case "hang":
            sandbox().pause(fault.number("seconds", 30))
        case "slow":
            sandbox().pause(fault.number("seconds", 2))
        case "reset":
            drop_connection()
            return Response(status=500)
        case "html_502":
            return Response(HTML_502, 502, mimetype="text/html")
        case "broken_body":
            return Response('{"id": "broken", "data": [{"te', 200, mimetype="application/json")
    return None


def _lose_answer(response: Response) -> Response:
    if fault_is("lost_answer"):
        drop_connection()
    return response
