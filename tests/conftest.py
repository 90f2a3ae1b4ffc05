"""Fixtures every test can ask for: the app on a fresh database and store, people, clients, jobs, a browser."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.valkey import Valkey

_FOLDER = Path(tempfile.mkdtemp(prefix="parley-test-"))
_STORE = Valkey(_FOLDER)
for _name in list(os.environ):
    if _name.endswith(("_API_KEY", "_BASE_URL", "_MODEL")) or _name.startswith("TWILIO_"):
        del os.environ[_name]
os.environ |= {
    "ENVIRONMENT": "test",
    "DATA_DIR": str(_FOLDER),
    "DATABASE_URL": os.environ.get("TEST_DATABASE_URL", ""),
    "REDIS_URL": _STORE.url,
    "ARGON2_MEMORY_KIB": "512",
    "ARGON2_TIME_COST": "1",
    "LOGIN_REFUSAL_SECONDS": "0",
    "BUILTIN_TOKEN_DELAY_MS": "0",
    "LOG_LEVEL": "ERROR",
    "SANDBOX_URL": "",
}

pytest_plugins = [f"tests.support.{name}" for name in ("browser", "mail", "sandbox", "hook", "postgres")]


@pytest.fixture(scope="session")
def store() -> Iterator[Valkey]:
    _STORE.start()
    yield _STORE
    _STORE.stop()


@pytest.fixture(scope="session")
def _app(store):
    from app import create_app
    from app.core.db import db
    from tests.support.described import DescriptionWatch

    app = create_app()
    with app.app_context():
        db.drop_all()
        db.create_all()
    app.extensions["description_watch"] = DescriptionWatch(app)
    return app


@pytest.fixture
def app(_app, store):
    """The application; the database and the store are empty before each test."""
    from app.core import tenancy
    from app.core.db import db
    from app.core.redis import get_redis
    from tests.support.emptying import empty

    get_redis().flushdb()
    with _app.app_context(), db.engine.connect() as connection:
        write = connection.execution_options(parley_write=True)
        empty(write, db.metadata)
        write.commit()
    tenancy.bind_tenant(None)
    yield _app
    tenancy.bind_tenant(None)
    assert _app.extensions["description_watch"].take() == [], "answers that their descriptions do not allow"


@pytest.fixture
def app_context(app):
    """An application context, for tests that speak to services. Not for tests with a client: they would share `g`."""
    with app.app_context():
        yield


@dataclass(frozen=True)
class Member:
    """A signed-up person: plain values, safe to keep over requests."""

    id: int
    email: str
    password: str
    tenant_id: int


@pytest.fixture
def make_member(app) -> Callable[..., Member]:
    """Sign someone up; with `tenant_id` they join that tenant instead of their own."""
    count = iter(range(1, 1000))

    def make(role: str = "admin", tenant_id: int | None = None, *, is_superadmin: bool = False) -> Member:
        from app.accounts.models import Membership
        from app.accounts.services import signup
        from app.core.db import db, unit_of_work

        email, password = f"person{next(count)}@example.com", "a good password"
        with app.app_context(), unit_of_work():
            user = signup.sign_up(email, password, is_superadmin=is_superadmin)
            membership = db.session.query(Membership).filter_by(user_id=user.id).one()
            membership.role = role
            if tenant_id is not None:
                membership.tenant_id = tenant_id
            return Member(user.id, email, password, membership.tenant_id)

    return make


@pytest.fixture
def member(make_member) -> Member:
    """An admin of a tenant."""
    return make_member()


@pytest.fixture
def other_member(make_member) -> Member:
    """An admin of another tenant."""
    return make_member()


@pytest.fixture
def in_tenant(app) -> Callable[[int], object]:
    """`with in_tenant(id):` acts as that tenant in a context of its own, as a job would."""
    from app.core.tenancy import tenant_scope

    @contextmanager
    def act(tenant_id: int) -> Iterator[None]:
        with app.app_context(), tenant_scope(tenant_id):
            yield

    return act


@pytest.fixture
def client_for(app) -> Callable[[Member], object]:
    """A test client signed in through the contract's own sign-in."""

    def make(who: Member):
        client = app.test_client()
        answer = client.post("/login", json={"email": who.email, "password": who.password})
        assert answer.status_code == 200, answer.text
        return client

    return make


@pytest.fixture
def client(client_for, member):
    """Signed in as `member`."""
    return client_for(member)


@pytest.fixture
def anonymous(app):
    return app.test_client()


@pytest.fixture
def run_jobs(app) -> Callable[[], list[str]]:
    """Run every waiting job in this process, as a worker would, until none waits; returns their names."""

    def run() -> list[str]:
        from sqlalchemy import select

        from app.core.db import db
        from app.core.jobs import BackgroundJob, JobState
        from app.core.jobs_run import execute

        names: list[str] = []
        for _ in range(200):
            waiting = select(BackgroundJob.id, BackgroundJob.name).where(BackgroundJob.state == JobState.QUEUED)
            with app.app_context():
                row = db.session.execute(waiting.order_by(BackgroundJob.created_at).limit(1)).first()
            if row is None:
                break
            with app.app_context():
                execute(row.id)
            names.append(row.name)
        return names

    return run


@pytest.fixture
def settings_override() -> Iterator[Callable[..., None]]:
    """Change settings for one test."""
    from app.core.config import get_settings

    changed: dict[str, object] = {}

    def change(**values: object) -> None:
        for name, value in values.items():
            changed.setdefault(name, getattr(get_settings(), name))
            setattr(get_settings(), name, value)

    yield change
    for name, value in changed.items():
        setattr(get_settings(), name, value)
