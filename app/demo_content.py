"""What the demo workspace is about: three businesses of different kinds, one panel, one talk."""

from app.insights.services.simulations import Draft

AUDIENCES = (
    {
        "name": "Orchard & Oat: weeknight shoppers",
        "website": "orchardandoat.example",
        "business_description": "Organic groceries and recipe kits, delivered to the door on the evening you choose.",
        "industry": "Grocery and food delivery",
        "customers": "Households that want to eat well and have no time to plan",
        "location": "United States",
        "age_range": "25-54",
        "income_level": "Middle to high",
        "core_need": "A healthy dinner on the table on weeknights without planning or waste",
        "additional_info": "Returnable crates, no plastic around the vegetables.",
    },
    {
        "name": "Clearpay Ledger: small-company payroll",
        "website": "clearpay-ledger.example",
        "business_description": "Payroll and time-off software for companies with 10 to 200 employees.",
        "industry": "Business software",
        "customers": "Owners, finance leads and office managers of small companies",
        "location": "United States",
        "age_range": "30-60",
        "income_level": "Middle to high",
        "core_need": "Pay people right and on time without a specialist",
        "additional_info": "Sold online with a free month; most switch from a spreadsheet or an accountant.",
    },
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
