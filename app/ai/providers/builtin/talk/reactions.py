"""Reactions: to pasted messages, to ideas and prices, to one thing against another, and to the business itself."""

from __future__ import annotations

from app.ai.providers.builtin.talk.appraisal import Appraisal, Point, appraise
from app.ai.providers.builtin.talk.buying import about, concern
from app.ai.providers.builtin.talk.data import pattern, table
from app.ai.providers.builtin.talk.grammar import Shape, lower_first
from app.ai.providers.builtin.talk.life import display
from app.ai.providers.builtin.talk.question import Reading
from app.ai.providers.builtin.talk.text import capital, excerpt, seed_of
from app.ai.providers.builtin.talk.turn import Turn


def react(turn: Turn, reading: Reading) -> list[str]:
    text = " ".join(reading.pasted) or reading.raw
    return reaction(turn, appraise(turn.sheet, text), "s")


def reaction(turn: Turn, found: Appraisal, kind: str) -> list[str]:
    """The verdict, why, what speaks against, and what to change. `kind` is `s` for a message, `idea` for a plan."""
    said = [turn.line(f"react.{kind}{found.stance}")]
    pros, cons = found.pros[:2], found.cons[:2]
    if found.stance >= 4:
        said += [pro_line(turn, point, kind) for point in pros[: 1 if turn.terse else 2]]
        said += [con_line(turn, point) for point in cons[:1] if not turn.terse]
    elif found.stance == 3:
        said += [pro_line(turn, point, kind) for point in pros[:1]] + [con_line(turn, point) for point in cons[:1]]
    else:
        said += [con_line(turn, point) for point in cons[: 1 if turn.terse else 2]]
    if len([line for line in said if line]) < 2 and (worry := concern(turn)):
        said.append(about(turn, "react.unmoved", worry))
    if kind == "s" and found.stance < 4 and cons:
        said.append(turn.line("react.change_say", c=change(turn, cons[0])))
    return [line for line in said if line]


def pro_line(turn: Turn, point: Point, kind: str = "s") -> str:
    """What a point has going for it, in the persona's words; a message is quoted, an idea is not."""
    lead, fact = "react.pro" if kind == "s" and point.words else "react.idea", point.fact
    if point.kind in {"offer", "price_ok"}:
        return turn.line(f"{lead}_{point.kind}", w=point.words)
    if fact is None:
        return ""
    if point.kind == "channel":
        return turn.line("react.pro_channel", x=fact.noun)
    shape = fact.said.shape
    if fact.topic == "goals" and shape is Shape.BASE:
        return turn.line(f"{lead}_want", w=point.words, x=fact.said.text + fact.mark)
    if fact.topic in {"values", "interests"} and shape in (Shape.NOUN, Shape.GERUND):
        return turn.line(f"{lead}_value", w=point.words, x=fact.noun)
    if shape in (Shape.SELF, Shape.CLAUSE, Shape.BASE):
        return turn.line(f"{lead}_theme_clause", w=point.words, x=fact.clause)
    return turn.line(f"{lead}_theme", w=point.words, x=fact.noun)


def con_line(turn: Turn, point: Point) -> str:
    """What a point has against it, in the persona's words."""
    fact, kind = point.fact, con_kind(point)
    clause = fact is not None and fact.said.shape in (Shape.SELF, Shape.CLAUSE)
    if kind == "beside" and fact is None:
        return turn.line("react.con_beside_none")
    if kind in {"beside", "theme"} and fact is not None and clause:
        return turn.line(f"react.con_{kind}_clause", x=fact.clause)
    shown = display(point.words) if kind == "wrong_channel" else point.words
    return turn.line(f"react.con_{kind}", w=shown, c=shown, x=fact.noun if fact else "")


def con_kind(point: Point) -> str:
    """The phrase a fault goes by; a theme turned against the persona goes by `theme`."""
    return point.kind if f"con_{point.kind}" in table("phrases")["react"] else "theme"


def change(turn: Turn, point: Point) -> str:
    """What to do about a fault, as a bare verb phrase."""
    text = str(table("phrases")["react"][f"change_{con_kind(point)}"])
    noun = ""
    if point.fact:
        noun = point.fact.noun if point.fact.said.shape is not Shape.CLAUSE else f"this: {point.fact.clause}"
        noun = (
            noun
            if not noun.startswith("I ") and not noun.startswith("I'm ")
            else f"what I deal with: {point.fact.clause}"
        )
    return text.replace("{x}", noun or "what's in it for me").replace("{w}", point.words)


def proposal(turn: Turn, reading: Reading) -> list[str]:
    return reaction(turn, appraise(turn.sheet, reading.raw, neutral=True), "idea")


def compare(turn: Turn, reading: Reading) -> list[str]:
    options = [option for option in reading.options if option][:4]
    if len(options) == 2 and (said := _compare_known(turn, options)):
        return said
    found = {option: appraise(turn.sheet, option, neutral=True) for option in options}
    order = sorted(options, key=lambda option: (-found[option].score, seed_of(turn.sheet.name, option.lower())))
    best, other = order[0], order[1]
    close = found[best].score - found[other].score < 0.25
    key = "pick_neither" if found[best].stance <= 2 else "pick_close" if close else "pick"
    said = [turn.line(f"react.{key}", x=_label(reading, best))]
    kind = "s" if reading.pasted else "idea"
    said += [
        line for line in [pro_line(turn, point, kind) for point in found[best].pros[: 1 if turn.terse else 2]] if line
    ]
    if found[other].cons and not turn.terse and len(said) < 3:
        said.append(f"As for the other: {lower_first(con_line(turn, found[other].cons[0]))}")
    return said


def _label(reading: Reading, option: str) -> str:
    index = reading.options.index(option)
    short = excerpt(option, 60)
    label = reading.labels[index].upper() if index < len(reading.labels) else ""
    if reading.pasted:
        return f"{label}, “{short}”" if label else f"“{short}”"
    return lower_first(short) if len(short.split()) < 9 else f"“{short}”"


def _compare_known(turn: Turn, options: list[str]) -> list[str]:
    """Two channels, or price against quality, are settled by what is known of the persona."""
    from app.ai.providers.builtin.talk.sheet import channels_in

    named = [channels_in(option)[:1] for option in options]
    if all(named) and named[0] != named[1]:
        return _compare_channels(turn, named[0][0], named[1][0])
    joined = " ".join(options).lower()
    if "quality" in joined and pattern(r"\bpric|\bcost|\bcheap").search(joined):
        wins = "price" if turn.sheet.price_care > 0.62 else "quality"
        fact = next(
            (
                fact
                for fact in turn.sheet.of("shopping", "pains", "values", "habits")
                if pattern(r"\b(?:price|qualit|cost|budget|deal|premium)\w*").search(fact.text)
            ),
            None,
        )
        why = turn.tell(fact) if fact else turn.line(f"buying.price_{'high' if wins == 'price' else 'low'}")
        return [turn.line("react.pick", x=wins), why]
    return []


def _compare_channels(turn: Turn, one: str, two: str) -> list[str]:
    known = turn.sheet.channels
    if one in known and two in known:
        order = list(known)
        first = min((one, two), key=order.index)
        return [
            turn.line(
                "channels.both",
                x=known[first].noun if known[first].topic == "channels" else display(first) + known[first].mark,
            )
        ]
    if one in known or two in known:
        yes, no = (one, two) if one in known else (two, one)
        fact = known[yes]
        said = [turn.line("channels.over", x=display(yes) + fact.mark)]
        return said if turn.terse else [*said, turn.line("channels.over_why", y=display(no))]
    listed = turn.sheet.of("channels")[:1]
    return [turn.line("channels.neither", x=listed[0].noun)] if listed else []


def rate(turn: Turn, reading: Reading) -> list[str]:
    text = " ".join(reading.pasted)
    if not text and pattern(r"\b(?:price|cost)\b").search(reading.question):
        score = round(turn.sheet.price_care * 9 + 1)
        return [
            turn.line("react.rate", n=str(score)),
            turn.line("buying.price_high" if score > 6 else "buying.price_low" if score < 5 else "buying.price_mid"),
        ]
    subject = text or _subject(turn, reading)
    found = appraise(turn.sheet, subject, neutral=not text)
    said = [turn.line("react.rate", n=str(found.out_of_ten))]
    said += [line for line in [pro_line(turn, point, "s" if text else "idea") for point in found.pros[:1]] if line]
    return said + [con_line(turn, point) for point in found.cons[:1] if found.stance < 5]


def _subject(turn: Turn, reading: Reading) -> str:
    """What a rating is of: the message last pasted, else the words of the question, else the business itself."""
    if pattern(r"\b(?:that|this|it|the (?:ad|message|slogan|offer|text))\b").search(reading.question):
        for earlier in reversed(turn.memory.asked):
            if earlier.pasted:
                return " ".join(earlier.pasted)
    if pattern(r"\b(?:us|our|BRAND|recommend|buy)\b").search(reading.question):
        return business(turn) + " " + reading.question
    return reading.question


def business(turn: Turn) -> str:
    """What the business does, in its own words."""
    brief = turn.sheet.brief
    return brief.get("business_description") or brief.get("core_need") or ""


def nps(turn: Turn, reading: Reading) -> list[str]:
    found = appraise(turn.sheet, business(turn), neutral=True)
    worry = concern(turn)
    if worry is None or not business(turn):
        return [turn.line("react.us_blank")]
    said = [about(turn, f"react.nps_{'yes' if found.stance >= 4 else 'no'}", worry)]
    return (
        said
        if turn.terse
        else [*said, turn.line("buying.trust_b2b" if turn.sheet.is_business else "buying.trust_plain")]
    )


def opinion_us(turn: Turn, reading: Reading) -> list[str]:
    described = business(turn)
    if described and reading.yes_no and pattern(r"\bwould you\b|\bcould you\b").search(reading.question):
        worry = concern(turn)
        verdict = turn.line(f"react.idea{appraise(turn.sheet, described, neutral=True).stance}")
        return [verdict, *([about(turn, "buying.make_buy", worry)] if worry else [])]
    if not described:
        return [turn.line("react.us_blank"), *_what_counts(turn)]
    found = appraise(turn.sheet, described, neutral=True)
    fact = next(
        (point.fact for point in found.pros if point.fact and point.fact.topic in {"pains", "goals", "values"}), None
    ) or concern(turn)
    short = lower_first(excerpt(described, 90))
    lead = "like" if found.stance >= 4 and found.pros else "meh"
    if fact is None:
        return [turn.line(f"react.idea{found.stance}")]
    suffix = "_clause" if fact.said.shape in (Shape.SELF, Shape.CLAUSE) else ""
    said = [
        turn.line(f"react.us_{lead}{suffix}", d=_as_business(turn, short), x=fact.noun if not suffix else fact.clause)
    ]
    if not turn.terse:
        said.append(turn.line("buying.trust_b2b" if turn.sheet.is_business else "buying.trust_plain"))
    return said


def _as_business(turn: Turn, short: str) -> str:
    """The description as it can follow `you're`; led by the name where it is a sentence of its own."""
    if pattern(r"^(?:we|our|the company|it)\b|^(?:sell|offer|provide|make|deliver|help|run|build|give)").search(short):
        return f"“{capital(short)}”"
    return short


def _what_counts(turn: Turn) -> list[str]:
    worry = concern(turn)
    return (
        [turn.line("react.judge_by", x=worry.noun)]
        if worry and worry.said.shape in (Shape.NOUN, Shape.GERUND)
        else [turn.tell(worry)]
        if worry
        else []
    )


def product_use(turn: Turn, reading: Reading) -> list[str]:
    brand = turn.sheet.brief.get("name", "")
    known = next((fact for fact in turn.sheet.own if brand and brand.lower() in fact.text.lower()), None)
    if known:
        return [turn.tell(known)]
    worry = concern(turn)
    if worry and worry.said.shape in (Shape.NOUN, Shape.GERUND):
        return [turn.line("react.used", x=worry.noun)]
    return [turn.line("react.used_plain"), *([turn.tell(worry)] if worry else [])]
