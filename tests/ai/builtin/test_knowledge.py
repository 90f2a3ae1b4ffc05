"""Everything the knowledge base names exists, and no figure comes from where it may not."""

import csv
import re

import pytest

from app.ai.providers.builtin.knowledge import DATA, facts, markets, occupations, role, sources
from app.ai.providers.builtin.sizing import spend

MARKETS = sorted(markets())


def test_the_knowledge_base_holds_at_least_sixty_markets_of_both_kinds():
    kinds = [market.is_business for key, market in markets().items() if not key.startswith("general_")]
    assert len(kinds) >= 60
    assert kinds.count(True) >= 15
    assert kinds.count(False) >= 35


@pytest.mark.parametrize("key", MARKETS)
def test_a_market_names_only_facts_roles_and_spending_that_exist(key):
    market = markets()[key]
    assert all(fact_id in facts() for fact_id, _ in market.facts)
    assert all(facts()[fact_id].source_id in sources() for fact_id, _ in market.facts)
    assert all(meaning for _, meaning in market.facts)
    assert market.reach in ("", *facts())
    assert all(spend(category) > 0 for category in market.spend)
    for name in (*market.operators, *(name for seed in market.seeds for name in seed.work)):
        assert role(name).occupation.title in occupations()


@pytest.mark.parametrize("key", MARKETS)
def test_a_market_has_three_or_more_kinds_of_buyer_with_enough_to_say(key):
    market = markets()[key]
    assert len(market.seeds) >= 3
    assert len({seed.name for seed in market.seeds}) == len(market.seeds)
    for seed in market.seeds:
        assert seed.ages[0] < seed.ages[1]
        assert min(map(len, (seed.goals, seed.pains, seed.acts, seed.quotes))) >= 2
        assert len(seed.traits) >= 3
        assert seed.firms if market.is_business else seed.pay[0] < seed.pay[1]
    assert min(map(len, (market.needs, market.pains, market.objections, market.habits, market.channels))) >= 3
    assert len(market.values) >= 5
    assert len(market.moves) >= 3


def test_a_fact_a_market_is_sized_by_is_a_share():
    for market in markets().values():
        if market.reach:
            assert facts()[market.reach].unit == "%"


def test_no_figure_of_gartner_or_forrester_is_shipped():
    for name in ("facts.csv", "sources.csv", "population.csv"):
        text = (DATA / name).read_text(encoding="utf-8").lower()
        assert not re.search(r"gartner|forrester", text)


def test_every_row_of_every_table_has_a_known_source():
    for path in DATA.glob("*.csv"):
        for row in csv.DictReader(path.open(encoding="utf-8")):
            named = row.get("source_id") or row.get("source_ids") or ""
            if named and path.name != "sources.csv":
                assert all(one in sources() for one in named.split(";")), (path.name, row)


def test_every_source_has_an_address_to_follow():
    assert all(source.url.startswith("http") and source.publisher for source in sources().values())


def test_the_data_stay_small_enough_to_ship():
    assert sum(path.stat().st_size for path in DATA.rglob("*") if path.is_file()) < 2_000_000


def test_texts_claim_no_statistics_of_their_own():
    """A percentage belongs in facts.csv, where its source stands beside it."""
    for path in (DATA / "markets").glob("*.toml"):
        assert not re.search(r"\d\s?%|per cent|percent of", path.read_text(encoding="utf-8")), path.name
