"""Random conditions and random lives over a small world, so that they meet often."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.cdp.factory import TODAY

EVENTS = ["purchase", "view", "visit"]
TRAITS = ["plan", "age", 'odd "name"\\', "born", "tags", "größe.x"]
WORDS = ["gold", "Gold", "golden", "silver", "é%_", "2024-02-29", "1999-12-31T10:00:00Z"]
NUMBERS = [0, 1, -3, 2.5, 10, 99.25]
DATES = ["1999-12-31", "2024-02-29", "2024-10-01", "2024-10-04"]
numbers, words = st.sampled_from(NUMBERS), st.sampled_from(WORDS)
dates = st.sampled_from(DATES)
elements = st.lists(st.one_of(words, numbers, st.booleans()), max_size=3)
values = st.one_of(words, numbers, st.booleans(), st.none(), elements, st.just(""), st.just({"a": 1}))
days_back = st.integers(0, 8)


def obj(**fields: Any) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {name: value if isinstance(value, st.SearchStrategy) else st.just(value) for name, value in fields.items()}
    )


def pair(of: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.tuples(of, of).map(lambda both: sorted(both))


scalar = st.one_of(words, numbers, st.booleans())
comparisons = st.one_of(
    obj(operator=st.sampled_from(["equals", "not_equals"]), value=scalar),
    obj(operator=st.sampled_from(["in", "not_in"]), value=st.lists(scalar, min_size=1, max_size=12)),
    obj(
        operator=st.sampled_from(["contains", "starts_with", "ends_with"]),
        value=st.sampled_from(["old", "G", "é%", "9", "_"]),
    ),
    obj(operator=st.sampled_from(["is_set", "is_not_set", "is_true", "is_false"])),
    obj(operator=st.sampled_from(["greater_than", "greater_or_equal", "less_than", "less_or_equal"]), value=numbers),
    obj(operator="between", value=pair(numbers)),
    obj(operator="between", value=pair(dates)),
    obj(operator=st.sampled_from(["before", "after"]), value=dates),
    obj(operator="within_last_days", value=st.integers(1, 30)),
    obj(operator="anniversary_within_days", value=st.integers(1, 200)),
    obj(operator="includes", value=st.one_of(words, numbers)),
    obj(
        operator=st.sampled_from(["includes_any", "includes_all"]),
        value=st.lists(st.one_of(words, numbers), min_size=1, max_size=3),
    ),
)
windows = st.one_of(
    st.just("ever"),
    st.integers(1, 9).map(lambda n: f"last_{n}_days"),
    st.tuples(days_back, days_back).map(lambda d: {"from_days_ago": max(d), "to_days_ago": min(d)}),
    st.just({"from": "2024-09-30", "to": "2024-10-02"}),
)
where = st.lists(
    st.tuples(st.sampled_from(["amount", "kind"]), comparisons).map(lambda both: {"property": both[0], **both[1]}),
    max_size=2,
)
event = st.sampled_from([*EVENTS, "never"])
happening = obj(event=event, where=where)
counts = st.one_of(
    st.integers(1, 4).map(lambda n: {"at_least": n}),
    st.integers(0, 3).map(lambda n: {"at_most": n}),
    st.integers(0, 3).map(lambda n: {"exactly": n}),
)
aggregates = obj(
    function=st.sampled_from(["sum", "average", "minimum", "maximum"]),
    property="amount",
    operator=st.sampled_from(["greater_than", "less_or_equal", "equals"]),
    value=numbers,
)
computed_names = [
    "total_purchases",
    "views",
    "since_visit",
    "mean",
    "lowest",
    "highest",
    "opening",
    "latest",
    "began",
    "favourite",
    "kinds",
]
COMPUTED = [
    ("views", "count", "view", ""),
    ("since_visit", "days_since", "visit", ""),
    ("mean", "avg", "purchase", "amount"),
    ("lowest", "min", "purchase", "amount"),
    ("highest", "max", "purchase", "amount"),
    ("opening", "first", "purchase", "amount"),
    ("latest", "last", "purchase", "amount"),
    ("began", "first", "visit", ""),
    ("favourite", "most_frequent", "view", "kind"),
    ("kinds", "unique_count", "view", "kind"),
]
numeric_computed = st.sampled_from([one for one in computed_names if one not in ("began", "favourite")])
leaves = st.one_of(
    st.tuples(st.sampled_from(TRAITS), comparisons).map(lambda both: {"type": "trait", "trait": both[0], **both[1]}),
    st.tuples(st.sampled_from(TRAITS), comparisons).map(lambda both: {"type": "trait", "trait": both[0], **both[1]}),
    obj(
        type="trait",
        trait="email",
        operator=st.sampled_from(["contains", "ends_with", "starts_with"]),
        value=st.sampled_from(["@x", "m1", ".com"]),
    ),
    obj(type="trait", trait="email", operator=st.sampled_from(["is_set", "is_not_set"])),
    obj(type="trait", trait="first_seen_at", operator="within_last_days", value=st.integers(1, 9)),
    obj(
        type="computed_trait",
        trait=numeric_computed,
        operator=st.sampled_from(["greater_than", "less_than", "less_or_equal", "equals", "not_equals"]),
        value=numbers,
    ),
    obj(
        type="computed_trait", trait=st.sampled_from(computed_names), operator=st.sampled_from(["is_set", "is_not_set"])
    ),
    obj(type="computed_trait", trait="began", operator="within_last_days", value=st.integers(1, 8)),
    obj(type="computed_trait", trait="favourite", operator=st.sampled_from(["equals", "not_equals"]), value=words),
    obj(type="event", event=event, operator=st.sampled_from(["occurred", "not_occurred"]), time_window=windows),
    obj(
        type="event",
        event=event,
        operator=st.sampled_from(["occurred", "not_occurred"]),
        time_window=windows,
        where=where,
    ),
    obj(
        type="event",
        event=event,
        operator=st.sampled_from(["occurred", "not_occurred"]),
        time_window=windows,
        count=counts,
        where=where,
    ),
    obj(type="event", event=event, time_window=windows, aggregate=aggregates, where=where),
    obj(type="event", event=event, time_window=windows, aggregate=aggregates, count=counts),
    obj(type=st.sampled_from(["event_first", "event_last"]), event=event, time_window=windows, where=where),
    obj(type="stopped", event=event, active_days=st.integers(1, 6), quiet_days=st.integers(1, 4)),
    obj(
        type="regularly",
        event=event,
        at_least=st.integers(1, 3),
        periods=st.integers(3, 5),
        period_days=st.integers(1, 3),
    ),
    obj(
        type="sequence",
        steps=st.lists(happening, min_size=2, max_size=3),
        within_days=st.integers(0, 4),
        time_window=windows,
    ),
    obj(
        type="sequence",
        steps=st.lists(obj(event=event), min_size=2, max_size=3),
        without=st.lists(happening, min_size=1, max_size=2),
        time_window=windows,
    ),
    obj(
        type="lifecycle",
        operator=st.sampled_from(["in", "not_in"]),
        value=st.lists(st.sampled_from(["known", "customer"]), min_size=1, max_size=2),
    ),
    obj(
        type="consent",
        channel=st.sampled_from(["sms", "email"]),
        operator=st.sampled_from(["is", "is_not"]),
        state=st.sampled_from(["granted", "denied", "unknown"]),
    ),
    obj(
        type="identifier",
        kind=st.sampled_from(["phone", "external:crm"]),
        operator=st.sampled_from(["present", "absent"]),
    ),
    obj(type="rank", trait="age", operator=st.sampled_from(["top", "bottom"]), count=st.integers(1, 5)),
    obj(
        type="rank",
        computed_trait=st.sampled_from(["total_purchases", "views"]),
        operator=st.sampled_from(["top", "bottom"]),
        percent=st.sampled_from([1, 33.3, 50, 100]),
    ),
    obj(
        type="random",
        seed=st.sampled_from(["a", "b"]),
        **{"from": st.sampled_from([0, 12.5]), "to": st.sampled_from([50, 99.99])},
    ),
)
conditions = st.recursive(
    leaves,
    lambda inner: obj(
        operator=st.sampled_from(["and", "or", "not"]), conditions=st.lists(inner, min_size=1, max_size=3)
    ),
    max_leaves=6,
)
who = st.integers(0, 6)
rich = st.fixed_dictionaries({"amount": numbers, "kind": words})
odd = st.dictionaries(st.sampled_from(["amount", "kind", "tags"]), values, max_size=3)
one_event = st.tuples(
    who, st.sampled_from([*EVENTS, "purchase"]), st.integers(-1, 9), st.integers(0, 3), st.one_of(rich, rich, odd)
)
happenings = st.tuples(st.just("events"), st.lists(one_event, min_size=1, max_size=12))
deeds = st.one_of(
    happenings,
    happenings,
    happenings,
    st.tuples(st.just("trait"), who, st.dictionaries(st.sampled_from(TRAITS), values, min_size=1, max_size=4)),
    st.tuples(
        st.just("trait"), who, st.fixed_dictionaries({"age": numbers, "plan": words, "tags": elements, "born": words})
    ),
    st.tuples(
        st.just("consent"), who, st.sampled_from(["sms", "email"]), st.sampled_from(["granted", "denied", "unknown"])
    ),
    st.tuples(st.just("identify"), who, st.sampled_from(["phone", "external:crm"])),
    st.tuples(st.just("lifecycle"), who, st.sampled_from(["known", "customer", "lead"])),
    st.tuples(st.just("merge"), who, who),
    st.tuples(st.just("split"), who),
    st.tuples(st.just("erase"), who),
    st.tuples(st.just("fold")),
    st.tuples(st.just("fold")),
    st.tuples(st.just("day")),
    st.tuples(st.just("ask"), conditions),
)
lives = st.lists(deeds, min_size=8, max_size=40)
assert TODAY == 20_000  # 2024-10-04: the dates above are near it
