"""Filled examples of a brief, one click away on the form."""

from __future__ import annotations

EXAMPLES = [
    (
        "Organic grocer",
        {
            "name": "Orchard & Oat",
            "website": "orchardandoat.example",
            "business_description": "Organic groceries and recipe kits, delivered to the door on the evening you pick.",
            "industry": "Grocery and food delivery",
            "customers": "Households that want to eat well and have no time to plan",
            "location": "United States",
            "age_range": "25-54",
            "income_level": "Middle to high",
            "core_need": "A healthy dinner on the table on weeknights without planning or waste",
            "additional_info": "Returnable crates, no plastic around the vegetables.",
        },
    ),
    (
        "Payroll software",
        {
            "name": "Clearpay Ledger",
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
    ),
    (
        "Neighbourhood gym",
        {
            "name": "Northside Strength",
            "website": "northside-strength.example",
            "business_description": "A gym with coached small-group strength classes for people who never liked gyms.",
            "industry": "Fitness",
            "customers": "Beginners and people coming back after years",
            "location": "Chicago, United States",
            "age_range": "28-60",
            "income_level": "Middle",
            "core_need": "Get stronger in two visits a week without feeling watched",
            "additional_info": "",
        },
    ),
]
