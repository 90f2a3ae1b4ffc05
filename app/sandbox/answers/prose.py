"""Made-up prose: a short reply to a short question, a report to a long one."""

from __future__ import annotations

import random

from app.sandbox.answers import subject

LONG_QUESTION = 160
_OPENINGS = (
    "Good question about {subject}.",
    "Let me answer on {subject} straight away.",
    "On {subject}, this is how I see it.",
)
_POINTS = (
    "What decides is whether it saves time on an ordinary weekday.",
    "Price matters, but a promise that is kept matters more.",
    "People compare two or three offers and take the one they understand first.",
    "A word from someone they know counts for more than any advertisement.",
    "They would try it once, and stay if the first month goes well.",
    "The worry that comes up most is being tied to something they cannot leave.",
)
_SECTIONS = (
    ("Market", "{subject} meets a demand that is steady rather than new. Buyers look for a reason to change."),
    ("Customers", "Three groups stand out: those short of time, those who compare, and those who buy for others."),
    ("Needs", "They want clear terms, a first try without risk, and someone who answers."),
    ("Competition", "Larger offers win on range, smaller ones on trust. {subject} is closest to the second."),
    ("What to do", "Say in one sentence who it is for, show the price early, and ask new customers why they came."),
)  # fmt: skip


def reply(question: str, *, material: str = "", cited: int = 0, seed: int = 0) -> str:
    """An answer to a question; with `cited`, it bears marks from [1] up to that number."""
    draw = random.Random(f"{seed}:{question}")
    if len(question) > LONG_QUESTION:
        text = _report(subject.of_brief(material) or subject.of(question))
    else:
        text = _short(subject.of(question), draw)
    return _with_marks(text, cited) if cited else text


def _short(about: str, draw: random.Random) -> str:
    points = draw.sample(_POINTS, 3)
    return f"{draw.choice(_OPENINGS).format(subject=about)} {points[0]} {points[1]}\n\n{points[2]}"


def _report(about: str) -> str:
    parts = [f"## {title}\n\n{text.format(subject=about)}" for title, text in _SECTIONS]
    return f"# {about}\n\n*A made-up answer of the sandbox.*\n\n" + "\n\n".join(parts)


def _with_marks(text: str, cited: int) -> str:
    """Put [1], [2] ... behind the paragraphs in turn."""
    paragraphs = text.split("\n\n")
    plain = [index for index, part in enumerate(paragraphs) if not part.startswith(("#", "*"))]
    for number, index in enumerate(plain):
        paragraphs[index] += f" [{number % cited + 1}]"
    return "\n\n".join(paragraphs)
