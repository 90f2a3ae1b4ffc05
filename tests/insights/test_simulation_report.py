"""What replies add up to."""

import csv
import io

import pytest

from app.insights.models import Audience, AudienceSegment, PanelReply, Simulation
from app.insights.services import simulation_exports, simulation_report
from app.insights.services.simulation_texts import group, theme_of


def segment(number, size):
    return AudienceSegment(id=number, name=f"Segment {number}", size_percentage=size, position=number)


def reply(number, stance, segment_number=1, **more):
    values = {"reasons": [], "objections": [], "quote": "So be it.", "would_change": "", "provider": "builtin"} | more
    return PanelReply(
        id=number, persona_id=number, persona_name=f"Person {number}", segment_id=segment_number,
        segment_name=f"Segment {segment_number}", stance=stance, model="m", input_tokens=10, output_tokens=5,
        latency_ms=100, **values,
    )  # fmt: skip


def headline(*stances, objections=()):
    replies = [reply(n, s, objections=list(objections) if s <= 3 else []) for n, s in enumerate(stances, 1)]
    return simulation_report.build(replies, [segment(1, 100)], len(replies))["headline"]


@pytest.mark.parametrize(
    ("stances", "said"),
    [
        ((5, 4, 4, 5, 2, 1), "4 of 6 lean yes; nobody objects."),
        ((1, 2, 3), "2 of 3 lean no; nobody objects."),
        ((3, 3, 4), "1 of 3 leans yes; nobody objects."),
        ((4, 2), "1 of 2 lean yes and as many lean no; nobody objects."),
        ((3, 3), "All 2 are undecided; nobody objects."),
        ((), "Nobody could answer."),
    ],
)
def test_the_headline_says_which_way_the_panel_leans(stances, said):
    assert headline(*stances) == said


def test_the_headline_names_what_most_people_object_to():
    replies = [
        reply(1, 2, objections=["It is too expensive for me."]),
        reply(2, 2, objections=["I cannot afford it.", "I have no time."]),
        reply(3, 4, objections=["I have no time."]),
        reply(4, 4, objections=["The monthly fee puts me off."]),
    ]
    results = simulation_report.build(replies, [segment(1, 100)], 4)
    assert results["headline"].endswith("; price is the first objection.")
    assert results["objection_themes"] == [{"theme": "price", "count": 3}, {"theme": "time", "count": 2}]


def test_a_segment_counts_by_its_share_in_the_weighted_figures_only():
    replies = [reply(1, 5, 1), reply(2, 5, 1), reply(3, 1, 2)]
    results = simulation_report.build(replies, [segment(1, 20), segment(2, 60)], 3)
    assert results["mean_stance"] == 3.67
    assert results["weighted"] == {
        "by": "size_percentage",
        "mean_stance": 2.0,
        "percent": {"1": 75.0, "2": 0.0, "3": 0.0, "4": 0.0, "5": 25.0},
    }
    assert (results["best_segment"]["name"], results["worst_segment"]["name"]) == ("Segment 1", "Segment 2")


def test_without_a_segments_size_there_is_no_weighted_figure():
    results = simulation_report.build([reply(1, 4, 1), reply(2, 2, 2)], [segment(1, 50), segment(2, None)], 2)
    assert results["weighted"] is None


def test_lines_that_say_the_same_are_one_line_with_a_count():
    groups = group(
        [("A", "The price is too high."), ("B", "Price is too high for me"), ("B", "The price is too high"),
         ("C", "I would miss my market stall")]
    )  # fmt: skip
    assert [(g.text, g.speakers) for g in groups] == [
        ("The price is too high.", ["A", "B"]),
        ("I would miss my market stall", ["C"]),
    ]


def test_each_thing_asked_for_is_counted_and_examples_are_left_out():
    replies = [
        reply(1, 2, would_change="Bring the price down. Say who is behind it. For instance: “Hello. Us again.”"),
        reply(2, 2, would_change="Bring the price down! Show a photo."),
        reply(3, 3, would_change="“Nothing at all.”"),
        reply(4, 5, would_change=""),
    ]
    changes = simulation_report.build(replies, [segment(1, 100)], 4)["changes"]
    assert [(change["text"], change["count"]) for change in changes] == [
        ("Bring the price down.", 2),
        ("Say who is behind it.", 1),
        ("Show a photo.", 1),
        ("“Nothing at all.”", 1),
    ]


@pytest.mark.parametrize(
    ("line", "theme"),
    [
        ("It costs more than I can spend", "price"),
        ("I am too busy on weeknights", "time"),
        ("I would have to switch everything over", "effort"),
        ("I do not believe the claims", "trust"),
        ("Blue is a colour", None),
    ],
)
def test_an_objection_is_about_what_its_words_point_at(line, theme):
    assert theme_of(line) == theme


def test_a_figure_whose_price_is_unknown_is_not_called_free():
    replies = [reply(1, 4, cost_micros=20), reply(2, 4, cost_micros=None)]
    assert simulation_report.usage_of(replies).cost_micros is None
    assert simulation_report.usage_of(replies[:1]).cost_micros == 20


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "  =1", "\r=1", "\n@x"])
def test_the_csv_never_starts_a_cell_with_a_formula(text):
    rows = list(csv.reader(io.StringIO(simulation_exports.as_csv([reply(1, 4, quote=text, reasons=[text])]))))
    cells = dict(zip(simulation_exports.COLUMNS, rows[1], strict=True))
    assert cells["quote"] == cells["reasons"] == "'" + text
    assert cells["stance"] == "4"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("- one", r"\- one"),
        ("# one", r"\# one"),
        ("1. one", r"1\. one"),
        ("first-rate (really), 2.5 %", "first-rate (really), 2.5 %"),
        ("[x](javascript:y) <b>*z*</b>", r"\[x\](javascript:y) \<b\>\*z\*\</b\>"),
    ],
)
def test_the_markdown_keeps_words_as_words(text, written):
    simulation = Simulation(id=1, name="Name", description=text, question="", message="", seed=1)
    assert f"\n{written}\n" in simulation_exports.as_markdown(simulation, Audience(name="A"), [])
