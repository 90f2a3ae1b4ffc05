"""The conditions of the segments benchmark as someone would write them in SQL by hand."""

from __future__ import annotations

from typing import Any


class ByHand:
    """Semi-joins that the indexes of the tables answer."""

    by_person = "INDEXED BY ix_events_profile_id_at"

    def __init__(self, tenant_id: int, today: int, name_ids: dict[str, int]) -> None:
        self.tenant_id, self.today, self.name_ids = tenant_id, today, name_ids

    def statement(self, raw: dict[str, Any]) -> str:
        people = f"SELECT count(*) FROM profiles p WHERE p.tenant_id = {self.tenant_id} AND p.merged_into_id IS NULL"
        return f"{people} AND {self.where(raw)}"

    def where(self, raw: dict[str, Any]) -> str:
        if "conditions" in raw:
            return "(" + f" {raw['operator'].upper()} ".join(self.where(one) for one in raw["conditions"]) + ")"
        found: str = getattr(self, f"_{raw['type']}")(raw)
        return found

    def _trait(self, raw: dict[str, Any]) -> str:
        name, value, operator = raw["trait"], raw["value"], raw["operator"]
        column = "p.email" if name == "email" else self._trait_column(name)
        if operator == "in":
            return f"{column} IN ({', '.join(repr(one) for one in value)})"
        if operator == "between":
            return f"{column} BETWEEN {value[0]} AND {value[1]}"
        if operator == "contains":
            return f"instr({column}, '{value}') > 0"
        return f"{column} {'>' if operator == 'greater_than' else 'IS DISTINCT FROM'} {value!r}"

    def _trait_column(self, name: str) -> str:
        return f"json_extract(p.traits, '$.{name}')"

    def _property(self, name: str) -> str:
        return f"json_extract(properties, '$.{name}')"

    def _lifecycle(self, raw: dict[str, Any]) -> str:
        return f"p.lifecycle IN ({', '.join(repr(one) for one in raw['value'])})"

    def _consent(self, raw: dict[str, Any]) -> str:
        rows = f"SELECT profile_id FROM consent_states WHERE tenant_id = {self.tenant_id}"
        return f"p.id IN ({rows} AND channel = '{raw['channel']}' AND state = '{raw['state']}')"

    def _events(self, event: str, window: Any) -> str:
        if isinstance(window, dict):
            first, last = window["from_days_ago"], window["to_days_ago"]
        else:
            first, last = int(window.split("_")[1]) - 1, 0
        days = f"day BETWEEN {self.today - first} AND {self.today - last}"
        return f"FROM events WHERE tenant_id = {self.tenant_id} AND name_id = {self.name_ids[event]} AND {days}"

    def _event(self, raw: dict[str, Any]) -> str:
        rows = f"SELECT profile_id {self._events(raw['event'], raw['time_window'])}"
        for one in raw.get("where", ()):
            rows += f" AND {self._property(one['property'])} > {one['value']}"
        if "count" in raw:
            rows += f" GROUP BY profile_id HAVING count(*) >= {raw['count']['at_least']}"
        if "aggregate" in raw:
            amount = self._property("amount")
            rows += f" GROUP BY profile_id HAVING sum({amount}) > {raw['aggregate']['value']}"
        return f"p.id {'NOT ' if raw.get('operator') == 'not_occurred' else ''}IN ({rows})"

    def _totals(self) -> str:
        measure = f"SELECT id FROM measures WHERE tenant_id = {self.tenant_id} AND event = 'purchase'"
        return f"FROM computed WHERE measure_id = ({measure} AND property = 'amount')"

    def _computed_trait(self, raw: dict[str, Any]) -> str:
        return f"p.id IN (SELECT profile_id {self._totals()} AND total > {raw['value']})"

    def _rank(self, raw: dict[str, Any]) -> str:
        ranked = f"SELECT profile_id, row_number() OVER (ORDER BY total DESC, profile_id) AS place {self._totals()}"
        share = f"(SELECT count(*) * {raw['percent']} {self._totals()})"
        return f"p.id IN (SELECT profile_id FROM ({ranked}) WHERE (place - 1) * 100 < {share})"

    def _sequence(self, raw: dict[str, Any]) -> str:
        """The second step by the index of the person: left to itself SQLite takes that of the name, for minutes."""
        first = self._events(raw["steps"][0]["event"], raw["time_window"]).replace("FROM events", "FROM events a")
        second = self._events(raw["steps"][1]["event"], raw["time_window"])
        second = second.replace("FROM events WHERE", f"FROM events b {self.by_person} WHERE")
        on = f"b.profile_id = a.profile_id AND b.at > a.at AND b.day - a.day <= {raw['within_days']}"
        return f"p.id IN (SELECT profile_id {first} AND EXISTS (SELECT 1 {second} AND {on}))"
