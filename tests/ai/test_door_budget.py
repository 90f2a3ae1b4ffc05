"""Spend stops at the ceiling; what is free goes on."""

from __future__ import annotations

from datetime import timedelta

from app.ai.models import AICall
from app.ai.queries import spent_since
from app.ai.services import budget, preferences
from app.ai.services.completion import complete_text
from app.core.db import db, unit_of_work


def spend(micros: int | None, **more: object) -> None:
    with unit_of_work():
        db.session.add(AICall(task="chat", provider="anthropic", outcome="ok", cost_micros=micros, **more))


def test_over_budget_only_the_built_in_analyst_answers_and_says_so(providers, sandbox, ask):
    providers("anthropic")
    with unit_of_work():
        preferences.set_monthly_budget(1.0)
    spend(1_000_000)
    answer = complete_text(ask())
    assert answer.provider == "builtin"
    assert "budget is spent" in answer.fallbacks[0]
    assert sandbox.control.received("anthropic") == []


def test_under_budget_models_are_asked(providers, ask):
    providers("anthropic")
    with unit_of_work():
        preferences.set_monthly_budget(1.0)
    spend(999_999)
    assert complete_text(ask()).provider == "anthropic"


def test_a_budget_of_zero_means_the_built_in_analyst_only(providers, ask):
    providers("anthropic")
    with unit_of_work():
        preferences.set_monthly_budget(0)
    assert complete_text(ask()).provider == "builtin"


def test_without_a_choice_the_platforms_ceiling_holds(providers, ask, settings_override):
    providers("anthropic")
    settings_override(ai_monthly_budget_usd=0.5)
    spend(500_000)
    assert complete_text(ask()).provider == "builtin"


def test_last_month_does_not_count(tenant):
    spend(7_000_000, created_at=budget.month_start() - timedelta(seconds=1))
    spend(2_000)
    assert budget.state().spent_micros == 2_000


def test_calls_of_unknown_cost_are_counted_but_not_priced(tenant):
    spend(None)
    spend(1_500)
    state = budget.state()
    assert (state.spent_micros, state.unpriced_calls) == (1_500, 1)


def test_another_tenants_spend_does_not_count(tenant, other_member, in_tenant):
    spend(5_000)
    with in_tenant(other_member.tenant_id):
        assert budget.state().spent_micros == 0


def test_the_check_before_each_call_reads_the_index_alone(tenant):
    spend(5_000)
    statements: list[tuple[str, object]] = []
    from sqlalchemy import event, text

    event.listen(db.engine, "before_cursor_execute", lambda c, cur, sql, args, *rest: statements.append((sql, args)))
    spent_since(budget.month_start())
    sql, arguments = statements[-1]
    if db.engine.dialect.name == "sqlite":
        with db.engine.connect() as connection:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", arguments).all()
            connection.execute(text("SELECT 1"))
        assert "COVERING INDEX ix_ai_calls_month" in str(plan)
