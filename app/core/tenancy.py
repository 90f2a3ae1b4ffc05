"""Which tenant is acting. Without one, tenant-scoped rows can be neither read nor written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

PLATFORM = -1
_current: ContextVar[int | None] = ContextVar("tenant_id", default=None)


class TenantNotBound(RuntimeError):
    """Tenant-scoped data was touched with no tenant bound: a fault of ours, refused rather than answered."""


def bound_tenant_id() -> int | None:
    """The bound tenant's id, PLATFORM, or None."""
    return _current.get()


def current_tenant_id() -> int:
    """The acting tenant's id; raises TenantNotBound when none (or the whole platform) is acting."""
    tenant_id = _current.get()
    if tenant_id is None or tenant_id == PLATFORM:
        raise TenantNotBound("No tenant is bound to this work.")
    return tenant_id


@contextmanager
def tenant_scope(tenant_id: int) -> Iterator[None]:
    """Act as one tenant inside the block."""
    token = _current.set(tenant_id)
    try:
        yield
    finally:
        _current.reset(token)


@contextmanager
def platform_scope() -> Iterator[None]:
    """Act across tenants inside the block: sign-in, periodic work, operator commands. Say why where you use it."""
    with tenant_scope(PLATFORM):
        yield


def bind_tenant(tenant_id: int | None) -> None:
    """Bind for the rest of this context: used once per request, which starts unbound."""
    _current.set(tenant_id)
