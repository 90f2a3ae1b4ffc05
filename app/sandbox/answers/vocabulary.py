"""Words for made-up data, by the name of the field they go into."""

from __future__ import annotations

PERSON_NAMES = (
    "Maya Okafor", "Daniel Reyes", "Hannah Lindqvist", "Tom Whitaker", "Priya Raman", "Elena Petrova",
    "Marcus Bell", "Aisha Rahman", "Jonas Weber", "Grace Kim", "Luis Ortega", "Nora Flanagan",
    "Samuel Adeyemi", "Chloe Martin", "Victor Novak", "Ruth Goldberg", "Kenji Mori", "Isabel Costa",
    "Owen Pritchard", "Fatima Zahra", "Carl Jensen", "Beatriz Lima", "Peter Hallam", "Yara Haddad",
)  # fmt: skip
GROUP_NAMES = (
    "Time-pressed planners", "Careful comparers", "Loyal regulars", "Curious first-timers", "Gift buyers",
    "Quality seekers", "Budget keepers", "Local supporters",
)  # fmt: skip

# The first entry whose key is part of the field's name wins, so the narrower ones come first.
PHRASES: dict[str, tuple[str, ...]] = {
    "gender": ("female", "male", "non-binary"),
    "occupation": ("Office manager", "Primary-school teacher", "Electrician", "Nurse", "Designer", "Shop owner"),
    "income": ("$58,000", "$72,000", "$85,000", "$64,000", "$110,000"),
    "education": ("Bachelor's degree", "Some college", "Trade certificate", "Master's degree"),
    "location": ("Columbus, Ohio", "Leeds, England", "Austin, Texas", "Portland, Oregon", "Tampa, Florida"),
    "interest": ("cooking at home", "weekend hikes", "podcasts", "gardening", "local football", "reading"),
    "goal": ("keep weekday evenings free", "spend money on what lasts", "do right by the family", "learn something"),
    "pain": ("planning late in the day", "prices that change without notice", "too many choices", "slow answers"),
    "behavior": ("compares three offers", "reads reviews on the phone", "buys on Sunday evening", "asks a friend"),
    "value": ("reliability", "fairness", "independence", "care for others"),
    "channel": ("e-mail", "Instagram", "a friend's advice", "search", "local radio"),
    "characteristic": ("little time on weekdays", "compares before buying", "stays once convinced", "plain words"),
    "insight": ("Buyers of {subject} decide within a week.", "Trust in {subject} comes from people they know.",
                "The first month with {subject} decides who stays.", "Few can say what makes {subject} different."),
    "recommend": ("Say who {subject} is for in one sentence.", "Show the price of {subject} early.",
                  "Offer a first try of {subject} without risk.", "Ask new customers what nearly kept them away."),
    "objection": ("It costs more than what I use now.", "Whom would I ask?", "I am tied to another contract."),
    "reason": ("It saves me time.", "The price is clear.", "I trust who stands behind it.", "It fits how I buy."),
    "quote": ("If it works the first time, I will not look any further.", "Show me the price and I will decide."),
    "habit": ("Buys once a week, after comparing two or three offers.", "Rarely on impulse, mostly on advice."),
    "approach": ("Speak to what {subject} saves them, on the channel they already use.",),
    "market": ("A steady market in which {subject} can win those who are ready to change.",),
    "change": ("A free first month would change my mind.", "Hearing from someone who has used {subject} for a year."),
    "summary": ("{subject} meets a steady demand; those most likely to buy are short of time and want plain terms.",),
    "basis": ("Follows from the brief.", "Usual for people of this age and occupation."),
    "detail": ("Made up by the sandbox for {subject}.",),
    "description": ("People who know what they want of {subject} and have little time to look for it.",
                    "People who compare {subject} with two others before they decide.",
                    "People who come to {subject} by somebody's advice and stay."),
    "household": ("Couple with two children", "Lives alone", "Couple without children", "Shares a flat"),
    "text": ("What matters to buyers of {subject} is that it works the first time.",),
    "title": ("{subject} in plain words", "Who buys {subject}, and why"),
}  # fmt: skip
FORMS = ("42", "$85,000", "2026-11-02", "09:00", "#1a2b3c", "a1b2c3", "AB-123", "word", "Two words")
FALLBACK = (
    "Made up for {subject}: the first thing to know.",
    "Made up for {subject}: another thing worth knowing.",
    "Made up for {subject}: one more thing to keep in mind.",
)


def phrases_for(field: str) -> tuple[str, ...]:
    """The phrases that suit a field of this name."""
    lowered = field.lower()
    for key, phrases in PHRASES.items():
        if key in lowered:
            return phrases
    return FALLBACK
