"""Tenancy fails closed."""

import pytest
from sqlalchemy import func, select

from app.core.db import UnitOfWorkRequired, db, find_row, unit_of_work
from app.core.tenancy import TenantNotBound, platform_scope, tenant_scope
from app.insights.models import Audience, AudienceSegment


@pytest.fixture
def audience_id(member, in_tenant):
    with in_tenant(member.tenant_id), unit_of_work() as session:
        row = Audience(name="Ours")
        session.add(row)
        session.flush()
        return row.id


QUERIES = {
    "entity": lambda: select(Audience),
    "column": lambda: select(Audience.name),
    "count": lambda: select(func.count(Audience.id)),
    "subquery": lambda: select(func.count()).select_from(select(Audience.id).subquery()),
    "join": lambda: select(AudienceSegment.id).join(Audience, Audience.id == AudienceSegment.audience_id),
}


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES.keys())
def test_a_query_with_no_tenant_bound_is_refused(app_context, query):
    with pytest.raises(TenantNotBound):
        db.session.execute(query())


@pytest.mark.parametrize("name", ["entity", "column"])
def test_another_tenants_rows_do_not_exist(audience_id, other_member, in_tenant, name):
    with in_tenant(other_member.tenant_id):
        assert db.session.execute(QUERIES[name]()).all() == []
        assert db.session.scalar(QUERIES["count"]()) == 0
        assert db.session.scalar(QUERIES["subquery"]()) == 0
        assert find_row(Audience, audience_id) is None


def test_writing_another_tenants_row_is_refused(app, audience_id, other_member):
    with app.app_context():
        with platform_scope():
            row = find_row(Audience, audience_id)
        with tenant_scope(other_member.tenant_id), pytest.raises(TenantNotBound), unit_of_work():
            row.name = "Stolen"
            db.session.flush()


def test_a_write_outside_a_unit_of_work_is_refused(member, in_tenant):
    with in_tenant(member.tenant_id):
        db.session.add(Audience(name="Loose"))
        with pytest.raises(UnitOfWorkRequired):
            db.session.flush()
        db.session.rollback()


def test_a_failed_unit_of_work_leaves_nothing_behind(member, in_tenant):
    with in_tenant(member.tenant_id):
        with pytest.raises(RuntimeError), unit_of_work():
            db.session.add(Audience(name="Half"))
            db.session.flush()
            raise RuntimeError
        assert db.session.scalar(QUERIES["count"]()) == 0


def test_the_id_of_a_deleted_row_is_never_given_to_another(member, in_tenant, audience_id):
    with in_tenant(member.tenant_id):
        with unit_of_work() as session:
            session.delete(find_row(Audience, audience_id))
        with unit_of_work() as session:
            row = Audience(name="Next")
            session.add(row)
            session.flush()
            assert row.id > audience_id
