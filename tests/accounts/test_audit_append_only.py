"""The audit log can be added to and nothing else, by the database's own rule; erasure may blank names."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import DBAPIError

FIXED = {
    "at": "2020-01-01 00:00:00", "actor_id": 7, "credential": "job", "action": "thing.unmade", "subject_type": "X",
    "subject_id": "9", "request_id": "r",
}  # fmt: skip
BLANKED = {"actor_label": "", "subject_label": "", "address": "", "browser": ""}


@pytest.fixture
def entry_id(member, in_tenant) -> int:
    """An entry somebody would like to be rid of."""
    from app.accounts.models import AuditEntry
    from app.accounts.services import audit
    from app.core.db import db, unit_of_work

    audit.set_actor(audit.Actor(member.id, member.email, "browser:1", "192.0.2.1", "Firefox", "request"))
    with in_tenant(member.tenant_id):
        with unit_of_work():
            audit.record("thing.made", label="Sam", before={"name": "Sam"}, after={"name": "Sal"})
        return db.session.scalars(select(AuditEntry.id).where(AuditEntry.action == "thing.made")).one()


@pytest.fixture
def kept(entry_id, member, in_tenant):
    """What the entry holds now, column by column."""

    def read() -> dict:
        from app.accounts.models import AuditEntry
        from app.core.db import db

        with in_tenant(member.tenant_id):
            found = db.session.execute(select(AuditEntry.__table__).where(AuditEntry.__table__.c.id == entry_id))
            return dict(found.mappings().one())

    return read


def refused(action) -> None:
    from app.core.db import unit_of_work

    with pytest.raises(DBAPIError, match="append-only"), unit_of_work():
        action()


@pytest.mark.parametrize("column", FIXED)
def test_no_fact_of_an_entry_is_changed_through_a_model(entry_id, kept, member, in_tenant, column):
    from datetime import UTC, datetime

    from app.accounts.models import AuditEntry
    from app.core.db import db

    before = kept()
    value = datetime(2020, 1, 1, tzinfo=UTC) if column == "at" else FIXED[column]
    with in_tenant(member.tenant_id):
        refused(lambda: (setattr(db.session.get_one(AuditEntry, entry_id), column, value), db.session.flush()))
        refused(lambda: db.session.execute(update(AuditEntry).values({column: value})))
    assert kept() == before


@pytest.mark.parametrize("column", FIXED)
def test_no_fact_of_an_entry_is_changed_by_sql(entry_id, kept, member, in_tenant, column):
    from app.core.db import db

    before = kept()
    statement = text(f"UPDATE audit_entries SET {column} = :value WHERE id = :id")
    with in_tenant(member.tenant_id):
        refused(lambda: db.session.execute(statement, {"value": FIXED[column], "id": entry_id}))
    assert kept() == before


def test_an_entry_is_moved_to_no_other_tenant(entry_id, kept, member, other_member, in_tenant):
    from app.core.db import db

    statement = text("UPDATE audit_entries SET tenant_id = :tenant")
    with in_tenant(member.tenant_id):
        refused(lambda: db.session.execute(statement, {"tenant": other_member.tenant_id}))
    assert kept()["tenant_id"] == member.tenant_id


def test_no_entry_is_deleted(entry_id, kept, member, in_tenant):
    from app.accounts.models import AuditEntry, Tenant
    from app.core.db import db

    before = kept()
    with in_tenant(member.tenant_id):
        refused(lambda: (db.session.delete(db.session.get_one(AuditEntry, entry_id)), db.session.flush()))
        refused(lambda: db.session.execute(delete(AuditEntry)))
        refused(lambda: db.session.execute(text("DELETE FROM audit_entries")))
        refused(lambda: db.session.execute(delete(Tenant).where(Tenant.id == member.tenant_id)))
    assert kept() == before


def test_names_and_values_can_be_blanked_for_an_erasure(entry_id, kept, member, in_tenant):
    from app.accounts.models import AuditEntry
    from app.core.db import db, unit_of_work

    before = kept()
    with in_tenant(member.tenant_id), unit_of_work():
        db.session.execute(update(AuditEntry).where(AuditEntry.id == entry_id).values(**BLANKED, before=None, after={}))
    now = kept()
    assert {name: now[name] for name in BLANKED} == BLANKED
    assert (now["before"], now["after"]) == (None, {})
    assert all(now[name] == before[name] for name in FIXED)


def test_secrets_are_hidden_whatever_is_passed(member, in_tenant, client):
    from app.accounts.services import audit
    from app.core.db import unit_of_work

    with in_tenant(member.tenant_id), unit_of_work():
        audit.record("thing.made", after={"password": "p", "api_key": "k", "nested": {"client_secret": "s"}, "n": 1})
    entry = client.get("/api/v1/audit?action=thing").get_json()["items"][0]
    hidden = "[hidden]"
    assert entry["after"] == {"password": hidden, "api_key": hidden, "nested": {"client_secret": hidden}, "n": 1}


def test_an_entry_is_undone_with_the_change_it_tells_of(member, in_tenant, client):
    from app.accounts.services import audit
    from app.core.db import unit_of_work

    with in_tenant(member.tenant_id), pytest.raises(RuntimeError), unit_of_work():
        audit.record("thing.made")
        raise RuntimeError
    assert client.get("/api/v1/audit?action=thing").get_json()["total"] == 0


def test_no_entry_is_replaced_by_another_with_its_id(entry_id, kept, member, in_tenant):
    from app.core.db import db

    before = kept()
    columns = ", ".join(before)
    chosen = columns.replace("action", "'thing.unmade'", 1)
    with in_tenant(member.tenant_id):
        is_sqlite = db.engine.dialect.name == "sqlite"
        words = "INSERT OR REPLACE INTO" if is_sqlite else "INSERT INTO"
        more = "" if is_sqlite else " ON CONFLICT (id) DO UPDATE SET action = 'thing.unmade'"
        statement = f"{words} audit_entries ({columns}) SELECT {chosen} FROM audit_entries WHERE id = {entry_id}{more}"
        refused(lambda: db.session.execute(text(statement)))
    assert kept() == before


def test_the_whole_log_is_not_emptied_at_once(entry_id, kept, member, in_tenant):
    from app.core.db import db

    with in_tenant(member.tenant_id):
        words = "DELETE FROM" if db.engine.dialect.name == "sqlite" else "TRUNCATE"
        refused(lambda: db.session.execute(text(f"{words} audit_entries")))
    assert kept()
