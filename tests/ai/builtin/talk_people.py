"""Personas and briefs the conversation tests speak with, and the facts the engine gets for them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from app.ai.providers.builtin.talk import answer_chat, answer_panel

ORDER = (
    "age gender occupation income education location interests goals pain_points behaviors values preferred_channels "
    "purchasing_habits quote"
).split()

GROCER = {
    "name": "Orchard & Oat",
    "business_description": "Organic groceries delivered weekly in reusable crates",
    "industry": "Online grocery",
    "core_need": "Eating well without planning",
}
PAYROLL = {
    "name": "Payflow",
    "business_description": "B2B payroll software for small and medium companies, per-seat pricing",
    "industry": "HR software",
    "customers": "Finance and HR leads at companies with 20 to 250 employees",
    "core_need": "Running payroll on time without errors",
}
GYM = {
    "name": "Iron Lane",
    "business_description": "A neighbourhood gym with small classes and no contract",
    "core_need": "Getting fit without feeling judged",
}
WATCHES = {
    "name": "Maison Verrier",
    "business_description": "Hand-finished mechanical watches made in small series",
    "industry": "Luxury goods",
}
CHARITY = {
    "name": "Bright Start",
    "business_description": "A charity that funds breakfast clubs and tutoring for children",
    "industry": "Nonprofit",
}

PRIYA = {
    "age": 34,
    "gender": "Female",
    "occupation": "Hospital pharmacist",
    "income": "$85,000",
    "education": "Master's degree in pharmacy",
    "location": "Leeds, United Kingdom",
    "family": "Two children, 4 and 7",
    "interests": ["Quick cooking", "Parkrun"],
    "goals": ["Feed the family well without an hour of planning", "Waste less food"],
    "pain_points": ["Planning dinner at five o'clock after a shift", "Delivery slots that clash with her rota"],
    "behaviors": ["Orders groceries on her phone during the commute", "Plans two dinners ahead at most"],
    "values": ["Reliability", "Honest labels"],
    "preferred_channels": ["SMS", "WhatsApp", "Instagram"],
    "purchasing_habits": ["Orders on Tuesdays after 15:30", "Compares unit prices before checking out"],
    "quote": "Decide dinner for me by four and I will forgive you almost anything.",
}
MARCUS = {
    "age": 47,
    "gender": "Male",
    "occupation": "Payroll manager",
    "income": "$92,000",
    "education": "Bachelor's degree in accounting",
    "location": "Columbus, Ohio",
    "interests": ["Woodworking", "College football"],
    "goals": ["Close payroll in one day instead of three", "Pass the audit without findings"],
    "pain_points": ["Reconciling timesheets by hand at month end", "Support tickets that take days"],
    "behaviors": ["Keeps a shadow spreadsheet as a backup", "Asks peers in an HR forum before shortlisting"],
    "values": ["Accuracy", "Accountability"],
    "preferred_channels": ["Email", "LinkedIn", "Trade webinars"],
    "purchasing_habits": ["Needs sign-off from the CFO above $10,000 a year", "Runs a parallel month before switching"],
    "company_size": "210 employees",
}
DEE = {
    "age": 23,
    "gender": "Non-binary",
    "occupation": "Barista and part-time student",
    "income": "$24,000",
    "education": "Some college",
    "location": "Leeds",
    "interests": ["Bouldering", "Thrift shopping"],
    "goals": ["Get stronger without feeling judged", "Keep gym costs under $30 a month"],
    "pain_points": ["Long contracts with hidden fees", "Crowded weights area in the evening"],
    "behaviors": ["Trains late in the evening after shifts", "Shares deals with friends"],
    "values": ["Inclusivity", "Independence"],
    "preferred_channels": ["TikTok", "Instagram", "Word of mouth"],
    "purchasing_habits": ["Looks for student discounts first", "Cancels anything with a contract"],
}
HENRIK = {
    "age": 58,
    "gender": "Male",
    "occupation": "Partner at a law firm",
    "income": "$410,000",
    "education": "Law degree",
    "location": "Zurich, Switzerland",
    "interests": ["Mechanical watches", "Sailing"],
    "goals": ["Own a few things that last"],
    "pain_points": ["Waiting lists that reward flippers", "Boutiques that talk about status instead of movements"],
    "behaviors": ["Reads collector forums on Sunday mornings", "Visits the workshop before buying"],
    "values": ["Craftsmanship", "Discretion"],
    "preferred_channels": ["Collector forums", "Private events", "Direct mail"],
    "purchasing_habits": ["Decides slowly and alone", "Pays for provenance and service"],
}
ROSA = {
    "age": 66,
    "gender": "Female",
    "occupation": "Retired teacher",
    "income": "$38,000",
    "education": "Bachelor's degree in education",
    "location": "Galway, Ireland",
    "interests": ["Choir", "Gardening"],
    "goals": ["Know that her gift reaches a classroom"],
    "pain_points": ["Being asked for more right after giving", "Glossy mailings that cost money"],
    "behaviors": ["Reads annual reports before giving", "Gives by standing order each month"],
    "values": ["Fairness", "Thrift"],
    "preferred_channels": ["Post", "Email newsletters"],
    "purchasing_habits": ["Gives $15 a month to two charities", "Stops when the asking becomes pushy"],
}

PEOPLE = {
    "Priya Nair": (PRIYA, GROCER),
    "Marcus Bell": (MARCUS, PAYROLL),
    "Dee Okafor": (DEE, GYM),
    "Henrik Aalto": (HENRIK, WATCHES),
    "Rosa Lindqvist": (ROSA, CHARITY),
}


def numbered(data: dict[str, Any]) -> list[dict[str, Any]]:
    """The numbered facts of a persona's data, one for each item."""
    keys = [*[key for key in ORDER if key in data], *[key for key in data if key not in ORDER]]
    found = [(key, item) for key in keys for item in (data[key] if isinstance(data[key], list) else [data[key]])]
    texts = [(key, f"{item} years old" if key == "age" else str(item)) for key, item in found if item is not None]
    return [{"n": n, "key": key, "text": text, "kind": "inferred"} for n, (key, text) in enumerate(texts, 1)]


def facts_for(name: str, **more: Any) -> dict[str, Any]:
    """What the engine is given about one of the people; `data` adds fields to the persona's own."""
    data, brief = PEOPLE[name]
    data = {**data, **more.pop("data", {})}
    given = {
        "persona": {"name": name, "data": data, "evidence": {}},
        "segment": {"name": "A segment", "description": "", "key_characteristics": [], "marketing_approach": ""},
        "brief": brief,
        "facts": numbered(data),
        "history": [],
        "message": "",
    }
    return {**given, **more}


def ask(name: str, message: str, history: Iterable[tuple[str, str]] = (), **more: Any) -> str:
    """The answer to one message after a history of (question, answer)."""
    turns = [
        turn
        for question, answer in history
        for turn in ({"role": "user", "content": question}, {"role": "persona", "content": answer})
    ]
    return answer_chat(facts_for(name, message=message, history=turns, **more))


def talk(name: str, questions: Iterable[str], **more: Any) -> list[tuple[str, str]]:
    """A whole conversation as (question, answer)."""
    said: list[tuple[str, str]] = []
    for question in questions:
        said.append((question, ask(name, question, said, **more)))
    return said


def panel(name: str, **more: Any) -> dict[str, Any]:
    """The persona's part in a panel."""
    return answer_panel(facts_for(name, **{"question": "", "message": "", "type": "default", "seed": 1, **more}))


def plain(text: str) -> str:
    """An answer without its marks."""
    return re.sub(r"\s*\[\d+\]", "", text)


def marks(text: str) -> set[int]:
    """The facts an answer leans on."""
    return {int(mark) for mark in re.findall(r"\[(\d+)\]", text)}
