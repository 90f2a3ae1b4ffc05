"""Briefs the analyst's tests share, and short ways to ask it."""

import json
from typing import Any

from app.ai.providers.base import AIRequest, Completion, Task
from app.ai.providers.builtin.analyst import BuiltinProvider

ORGANIC = {
    "name": "Green Basket",
    "business_description": "We deliver organic groceries and vegetable boxes from local farms",
    "industry": "Food retail",
    "customers": "Health-conscious families",
    "location": "Portland, Oregon",
    "age_range": "25-55",
    "income_level": "Middle to high",
    "core_need": "Healthy food without the planning",
}
PAYROLL = {
    "name": "PayRight",
    "business_description": "B2B payroll software for small companies",
    "industry": "Software",
    "customers": "Small businesses with 10-100 employees",
    "location": "United States",
    "age_range": "30-60",
    "core_need": "Pay people right without spending Sundays on it",
}
GYM = {
    "name": "Iron Yard",
    "business_description": "A friendly local gym with classes and personal training",
    "industry": "Fitness",
    "location": "Columbus, Ohio",
    "age_range": "18-60",
    "income_level": "Low to middle",
    "core_need": "Get fit and keep at it",
}
WATCHES = {
    "name": "Maison Aurel",
    "business_description": "Luxury watchmaker, handmade mechanical watches",
    "industry": "Luxury goods",
    "customers": "Collectors and professionals",
    "location": "New York",
    "age_range": "30-65",
    "income_level": "High",
}
CHARITY = {
    "name": "Bright Start",
    "business_description": "Children's charity that raises donations for school meals",
    "customers": "Individual donors",
    "location": "United Kingdom",
    "age_range": "25-75",
    "core_need": "Know that the gift reaches a child",
}
FIVE = {"organic": ORGANIC, "payroll": PAYROLL, "gym": GYM, "watches": WATCHES, "charity": CHARITY}


def ask(task: Task, brief: dict[str, Any], **facts: Any) -> Completion:
    return BuiltinProvider().complete(AIRequest(task, (), {"brief": brief, **facts}))


def segments_of(brief: dict[str, Any]) -> list[dict[str, Any]]:
    return json.loads(ask(Task.SEGMENTS, brief).text)["segments"]


def personas_of(brief: dict[str, Any], segment: dict[str, Any], count: int = 2, **facts: Any) -> list[dict[str, Any]]:
    return json.loads(ask(Task.PERSONAS, brief, segment=segment, count=count, **facts).text)["personas"]


def audience_of(brief: dict[str, Any], count: int = 2) -> list[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Segments with their people, made as the product makes them: names taken so far are passed on."""
    taken: list[str] = []
    made = []
    for segment in segments_of(brief):
        people = personas_of(brief, segment, count, taken_names=list(taken))
        taken += [person["name"] for person in people]
        made.append((segment, people))
    return made


def reports_on(brief: dict[str, Any], task: Task, *, deep: bool = False) -> str:
    made = audience_of(brief)
    people = [{"name": p["name"], "data": p, "segment": s["name"]} for s, group in made for p in group]
    return ask(task, brief, insight={}, segments=[s for s, _ in made], personas=people, deep=deep).text
