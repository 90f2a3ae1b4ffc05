"""What the demo workspace is about: three businesses of different kinds, one panel, one talk."""

from app.insights.pages.audience_examples import EXAMPLES
from app.insights.services.simulations import Draft

_GROCER, _PAYROLL = (dict(values) for _, values in EXAMPLES[:2])
AUDIENCES = (
    _GROCER | {"name": "Orchard & Oat: weeknight shoppers"},
    _PAYROLL | {"name": "Clearpay Ledger: small-company payroll"},
    {
        "name": "Lantern House: givers to children's causes",
        "website": "lantern-house.example",
        "business_description": "A charity that gives children a safe place, school help and a warm meal.",
        "industry": "Charity",
        "customers": "Private donors and volunteers",
        "location": "United States",
        "age_range": "30-75",
        "income_level": "All",
        "core_need": "Help children near home and know that it reached them",
        "additional_info": "Monthly gifts from $10; every donor gets a letter from a project twice a year.",
    },
)
SIMULATION = Draft(
    audience_id=0,
    name="Does the recipe make them order?",
    description="Before the winter text goes out.",
    message="Tonight: 20-minute dal, everything in one bag. Order by 4, at your door by 6.",
    seed=7,
)
CONVERSATION = (
    "Hello! What does a normal weekday evening look like for you?",
    "What bothers you most about shopping for food?",
    "Which would you open: “Tonight: 20-minute dal, everything in one bag” or “20% off everything this week”?",
)
COLLEAGUES = (
    ("sam.okafor@orchard.example", "Sam Okafor", "manager"),
    ("mei.tanaka@orchard.example", "Mei Tanaka", "analyst"),
    ("tom.reilly@orchard.example", "Tom Reilly", "viewer"),
)
INVITED = ("ruth.amsel@orchard.example", "analyst")
COMPUTED_TRAITS = (
    ("orders", "count", "purchase", ""),
    ("average_order", "avg", "purchase", "amount"),
    ("favourite_category", "most_frequent", "purchase", "category"),
    ("days_since_order", "days_since", "purchase", ""),
)
SEGMENTS = (
    (
        "Weeknight regulars",
        "Bought at least twice in the last 90 days.",
        {"type": "event", "event": "purchase", "time_window": "last_90_days", "count": {"at_least": 2}},
    ),
    (
        "Known but never bought",
        "They gave an e-mail address and have not ordered yet.",
        {
            "operator": "and",
            "conditions": [
                {"type": "identifier", "kind": "email", "operator": "present"},
                {"type": "event", "event": "purchase", "operator": "not_occurred", "time_window": "ever"},
            ],
        },
    ),
    (
        "May be texted in Leeds and Bristol",
        "Agreed to text messages, and lives where the vans go.",
        {
            "operator": "and",
            "conditions": [
                {"type": "consent", "channel": "sms", "state": "granted"},
                {"type": "identifier", "kind": "phone", "operator": "present"},
                {"type": "trait", "trait": "city", "operator": "in", "value": ["Leeds", "Bristol"]},
            ],
        },
    ),
    (
        "May be written to on WhatsApp",
        "Agreed to it, with a number, in any country.",
        {
            "operator": "and",
            "conditions": [
                {"type": "consent", "channel": "whatsapp", "state": "granted"},
                {"type": "identifier", "kind": "phone", "operator": "present"},
            ],
        },
    ),
    (
        "Stopped ordering",
        "Ordered in the half year before, but not in the last two months.",
        {"type": "stopped", "event": "purchase", "active_days": 180, "quiet_days": 60},
    ),
    (
        "Top tenth by spend",
        "The tenth of all customers who spent the most so far.",
        {"type": "rank", "computed_trait": "total_purchases", "operator": "top", "percent": 10},
    ),
    (
        "Looked, not bought",
        "Saw a product in the last 30 days and did not buy within two days.",
        {
            "operator": "and",
            "conditions": [
                {"type": "event", "event": "product_viewed", "time_window": "last_30_days"},
                {
                    "operator": "not",
                    "conditions": [
                        {
                            "type": "sequence",
                            "steps": [{"event": "product_viewed"}, {"event": "purchase"}],
                            "within_days": 2,
                            "time_window": "last_30_days",
                        }
                    ],
                },
            ],
        },
    ),
)
