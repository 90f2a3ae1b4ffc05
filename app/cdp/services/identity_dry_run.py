"""What a change of the identity rules would join and part, before anybody makes it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select

from app.cdp.models import Identity, IdentityRefusal
from app.cdp.queries.lists import texts_in
from app.cdp.services.identity import count_kinds
from app.cdp.services.identity_rules import KINDS, Rules, family
from app.core.db import db

SAMPLES = 10
MOST_REFUSALS = 10_000


@dataclass
class DryRun:
    """How many would change, and some of them. `merges` are pairs of ids.

    Merges are read from what was refused since the workspace began (at most 10,000 of them); splits are profiles
    with more identities of a kind than allowed; blocked are profiles known by a value that would mean nobody.
    """

    merges: int = 0
    splits: int = 0
    blocked: int = 0
    merge_samples: list[list[int]] = field(default_factory=list)
    split_samples: list[int] = field(default_factory=list)
    blocked_samples: list[int] = field(default_factory=list)


def dry_run(old: Rules, new: Rules) -> DryRun:
    """Compare the rules in force with those proposed; changes nothing."""
    found = DryRun()
    if any(new.limits[kind] > old.limits[kind] for kind in KINDS):
        pairs = _would_merge(new)
        found.merges, found.merge_samples = len(pairs), [list(pair) for pair in pairs[:SAMPLES]]
    over = _too_many(old, new)
    found.splits, found.split_samples = len(over), over[:SAMPLES]
    lost = _newly_blocked(old, new)
    found.blocked, found.blocked_samples = len(lost), lost[:SAMPLES]
    return found


def _would_merge(rules: Rules) -> list[tuple[int, int]]:
    rows = db.session.execute(
        select(IdentityRefusal.profile_id, Identity.profile_id)
        .join(Identity, (Identity.kind == IdentityRefusal.kind) & (Identity.value == IdentityRefusal.value)
              & (Identity.tenant_id == IdentityRefusal.tenant_id))
        .where(Identity.profile_id != IdentityRefusal.profile_id)
        .order_by(IdentityRefusal.id)
        .limit(MOST_REFUSALS)
    ).all()  # fmt: skip
    pairs = sorted({(min(one, other), max(one, other)) for one, other in rows})
    counts = count_kinds({profile_id for pair in pairs for profile_id in pair}) if pairs else {}
    return [
        (one, other)
        for one, other in pairs
        if all(counts[one][kind] + n <= rules.limit_of(kind) for kind, n in counts[other].items())
    ]


def _too_many(old: Rules, new: Rules) -> list[int]:
    """Profiles over a limit that became smaller."""
    found: set[int] = set()
    for kind in (kind for kind in KINDS if new.limits[kind] < old.limits[kind]):
        of_kind = Identity.kind.like("external:%") if kind == "external" else Identity.kind == kind
        statement = select(Identity.profile_id).where(of_kind).group_by(Identity.profile_id, Identity.kind)
        found.update(db.session.scalars(statement.having(func.count() > new.limits[kind])))
    return sorted(found)


def _newly_blocked(old: Rules, new: Rules) -> list[int]:
    wanted: dict[str, set[str]] = defaultdict(set)
    for kind, values in new.blocked.items():
        wanted[kind] |= values - old.blocked.get(kind, frozenset())
    found: set[int] = set()
    for kind, texts in wanted.items():
        if texts:
            listed = texts_in(sorted(texts))
            candidates: Any = select(Identity.kind, Identity.profile_id).where(func.lower(Identity.value).in_(listed))
            found.update(owner for stored, owner in db.session.execute(candidates) if family(stored) == kind)
    return sorted(found)
