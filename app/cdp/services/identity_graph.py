"""Which identities belong together: a partition made in memory, the same for any order of the events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from app.cdp.services.identity_rules import Ident, Rules


@dataclass
class Group:
    """One person to be: profiles there are, identities that are new. `wanted`: an event belongs to it.

    `counts` is how many identities of each kind it has: a plain dict, since a Counter costs more than all the rest.
    """

    counts: dict[str, int]
    profiles: list[int] = field(default_factory=list)
    fresh: list[Ident] = field(default_factory=list)
    wanted: bool = False
    parent: Group | None = None

    def root(self) -> Group:
        here = self
        while here.parent is not None:
            here = here.parent
        return here


@dataclass(frozen=True)
class Refusal:
    """`identity` came together with `anchor` and stayed where it was: a limit is full."""

    anchor: Ident
    identity: Ident


class Partition:
    """Joins identities as the rules allow.

    An event belongs to its strongest identity; a weaker one joins it, with everybody it already belongs to, while no
    kind gets more values than its limit. Sets are taken in the order of their strength and value, never of arrival.
    """

    def __init__(self, rules: Rules, owners: dict[Ident, int], counts: Mapping[int, Mapping[str, int]]) -> None:
        self.rules = rules
        self.refusals: list[Refusal] = []
        self._counts = counts
        self._by_profile = {pid: Group(dict(found), [pid]) for pid, found in counts.items()}
        self._groups = {identity: self._by_profile[pid] for identity, pid in owners.items() if pid in counts}

    def join_all(self, sets: Iterable[tuple[Ident, ...]]) -> None:
        """Each set: the identities of one event, strongest first."""
        for one in sorted(sets, key=lambda found: [self.rules.sort_key(identity) for identity in found]):
            self._join(one)

    def group_of(self, identity: Ident) -> Group:
        group = self._groups.get(identity)
        if group is None:
            group = self._groups[identity] = Group({identity[0]: 1}, fresh=[identity])
            return group
        return group.root()

    def people(self) -> list[Group]:
        """The groups that are to be kept, in an order of their own."""
        roots = {id(root): root for group in self._groups.values() if (root := group.root())}
        kept = [group for group in roots.values() if group.profiles or group.wanted]
        return sorted(kept, key=lambda group: (min(group.profiles, default=0), sorted(group.fresh)))

    def winner(self, group: Group) -> int:
        """The profile that stays: the one known by the strongest kind, then the oldest."""

        def strength(profile_id: int) -> tuple[int, int]:
            ranks = [self.rules.rank(kind) for kind in self._counts[profile_id]]
            return min(ranks, default=len(self.rules.priority)), profile_id

        return min(group.profiles, key=strength)

    def _join(self, identities: tuple[Ident, ...]) -> None:
        anchor = self.group_of(identities[0])
        anchor.wanted = True
        for identity in identities[1:]:
            other = self.group_of(identity)
            if other is anchor:
                continue
            if self._fits(anchor, other):
                anchor = _unite(anchor, other)
            else:
                self.refusals.append(Refusal(identities[0], identity))

    def _fits(self, one: Group, other: Group) -> bool:
        return all(one.counts.get(kind, 0) + n <= self.rules.limit_of(kind) for kind, n in other.counts.items())


def _unite(one: Group, other: Group) -> Group:
    for kind, n in other.counts.items():
        one.counts[kind] = one.counts.get(kind, 0) + n
    one.profiles += other.profiles
    one.fresh += other.fresh
    one.wanted = one.wanted or other.wanted
    other.parent = one
    return one
