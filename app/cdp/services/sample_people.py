"""Who the sample people are: invented names, towns, numbers that belong to nobody, and what they agreed to."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from app.cdp.models import Channel, ConsentValue


class Country(NamedTuple):
    """`phones` are beginnings of numbers that the regulator keeps for fiction, `digits` what is open after them."""

    code: str
    language: str
    weight: int
    phones: tuple[str, ...]
    digits: int
    cities: tuple[str, ...]
    first_names: tuple[str, ...]
    surnames: tuple[str, ...]


COUNTRIES = (
    Country(
        "GB", "en", 56, ("+447700900",), 3,
        ("Leeds", "Bristol", "Manchester", "Glasgow", "London", "Cardiff"),
        ("Priya", "Tom", "Amara", "Grace", "Yusuf", "Chloe", "Arjun", "Hannah", "Samuel", "Isabel", "Oliver", "Fatima",
         "Ruth", "Daniel", "Liam", "Nadia", "Zoe", "Ben", "Kwame", "Aisha"),
        ("Nair", "Whitfield", "Okafor", "Holloway", "Demir", "Carver", "Mehta", "Boateng", "Grant", "Adeyemi",
         "O'Connor", "Haddad", "Sharma", "Mensah", "Pritchard", "Lowe", "Sutton"),
    ),
    Country(
        "US", "en", 16, ("+161755501", "+150355501", "+151255501", "+131255501"), 2,
        ("Boston", "Portland", "Austin", "Chicago", "Denver"),
        ("Emily", "Marcus", "Sofia", "Tyler", "Naomi", "Diego", "Rachel", "Andre", "Megan", "Hiro"),
        ("Johnson", "Alvarez", "Tanaka", "Brooks", "Nguyen", "Campbell", "Rivera", "Walsh", "Freeman"),
    ),
    Country(
        "DE", "de", 10, ("+49176040690",), 2,
        ("Berlin", "Hamburg", "Köln", "Leipzig"),
        ("Lena", "Jonas", "Elif", "Mateo", "Julia", "Anika", "Felix", "Miriam"),
        ("Fischer", "Keller", "Kaya", "Weber", "Schäfer", "Vogel", "Brandt"),
    ),
    Country(
        "FR", "fr", 12, ("+3363998",), 4,
        ("Lyon", "Lille", "Nantes", "Paris"),
        ("Camille", "Hugo", "Inès", "Théo", "Léa", "Karim", "Manon", "Bastien"),
        ("Moreau", "Martin", "Benali", "Girard", "Lefèvre", "Rousseau", "Faure"),
    ),
    Country(
        "SE", "sv", 6, ("+467017406",), 2,
        ("Göteborg", "Malmö", "Uppsala"),
        ("Astrid", "Oskar", "Elsa", "Nils", "Freja", "Viktor"),
        ("Lindqvist", "Bergman", "Nyström", "Sandberg", "Öberg"),
    ),
)  # fmt: skip
PLAIN = str.maketrans("äöåéèêëïçñ", "aoaeeeeicn", "'")
ASKED = {
    Channel.EMAIL: (0.76, 0.12, "Send me recipes and offers by e-mail."),
    Channel.SMS: (0.56, 0.14, "Text me when my box is on its way and when there is an offer."),
    Channel.WHATSAPP: (0.42, 0.12, "You may write to me on WhatsApp."),
    Channel.ADS: (0.5, 0.2, "Show me offers on other sites."),
    Channel.ANALYTICS: (0.7, 0.15, "Count how I use the site."),
}
STOPS = 0.07


@dataclass(frozen=True)
class Answer:
    """What someone said of a channel, so many days after they signed up."""

    channel: Channel
    state: ConsentValue
    source: str
    evidence: dict[str, Any]
    days: float = 0.0


def make_traits(count: int, seed: int) -> list[dict[str, Any]]:
    """So many people, the same every time: everybody has a name and an address, two of three a number."""
    chance = random.Random(seed)
    places: Counter[str] = Counter()
    weights = [country.weight for country in COUNTRIES]
    found = []
    for country in chance.choices(COUNTRIES, weights, k=count):
        found.append(_traits(country, places[country.code], chance))
        places[country.code] += 1
    return found


def _traits(country: Country, place: int, chance: random.Random) -> dict[str, Any]:
    turn, at = divmod(place, len(country.first_names))
    name = f"{country.first_names[at]} {country.surnames[(at + turn) % len(country.surnames)]}"
    address = f"{name.lower().translate(PLAIN).replace(' ', '.')}{place}.{country.code.lower()}"
    born = date(chance.randint(1955, 2004), chance.randint(1, 12), chance.randint(1, 28))
    found: dict[str, Any] = {
        "name": name, "email": f"{address}@mail.example", "country": country.code, "language": country.language,
        "city": chance.choice(country.cities), "household": chance.randint(1, 5), "birthday": born.isoformat(),
        "newsletter": chance.random() < 0.6, "sample": True,
    }  # fmt: skip
    prefix, rest = divmod(place, 10**country.digits)
    if place % 3 and prefix < len(country.phones):
        found["phone"] = f"{country.phones[prefix]}{rest:0{country.digits}}"
    return found


def make_answers(chance: random.Random, *, has_phone: bool) -> Iterator[Answer]:
    """What they ticked at sign-up, and for some a STOP later. Nobody is asked for texts without a number."""
    for channel, (granted, denied, wording) in ASKED.items():
        draw = chance.random()
        if draw >= granted + denied or (not has_phone and channel in (Channel.SMS, Channel.WHATSAPP)):
            continue
        state = ConsentValue.GRANTED if draw < granted else ConsentValue.DENIED
        yield Answer(channel, state, "sign-up form", {"page": "/signup", "wording": wording})
        if channel == Channel.SMS and state == ConsentValue.GRANTED and chance.random() < STOPS:
            yield Answer(channel, ConsentValue.DENIED, "reply", {"text": "STOP"}, chance.uniform(1, 60))
