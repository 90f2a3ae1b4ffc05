"""Pages of segments: the list, the builder without scripts, one segment, and why someone is in it."""

from __future__ import annotations

import json
import re

import pytest
from sqlalchemy import event as hooks

from tests.support.pages import Pages

LIST = "/app/segments"
BOUGHT = {"type": "event", "event": "purchase", "time_window": "last_90_days"}
NO_SMS = {"type": "consent", "channel": "sms", "operator": "is_not", "state": "granted"}


def all_of(*conditions):
    return {"operator": "and", "conditions": list(conditions)}


class Segments(Pages):
    """What a marketer does with segments in a browser without scripts."""

    def __init__(self, client, run_jobs):
        super().__init__(client)
        self.run_jobs = run_jobs

    def save(self, name, conditions, url=f"{LIST}/new"):
        """Save and count; the segment's id."""
        answer = self.post(url, name=name, conditions=json.dumps(conditions))
        assert answer.status_code == 303, answer.text
        self.run_jobs()
        return int(answer.location.rsplit("/", 1)[1])

    def preview(self, conditions, status=200, **more):
        answer = self.client.post(
            f"{LIST}/preview", json={"conditions": conditions, **more}, headers={"X-CSRFToken": self.token}
        )
        assert answer.status_code == status, answer.text
        return answer.get_json()


@pytest.fixture
def pages(client, run_jobs) -> Segments:
    return Segments(client, run_jobs)


@pytest.fixture
def three(people, run_jobs) -> dict[str, int]:
    """Ada bought twice, Grace once and agreed to SMS, Alan never."""
    ids = {}
    for name in ("Ada", "Grace", "Alan"):
        traits = {"name": name, "email": f"{name.lower()}@example.com", "city": "Leeds" if name == "Ada" else "York"}
        ids[name] = people.send("signup", user_id=name, traits=traits)
    for name, amount in (("Ada", 10), ("Ada", 30), ("Grace", 5)):
        people.send("purchase", user_id=name, properties={"amount": amount, "category": "fruit"})
    people.post(f"/profiles/{ids['Grace']}/consent", {"channel": "sms", "state": "granted"})
    run_jobs()
    return ids


def test_without_segments_the_page_offers_ready_ones(pages):
    page = pages.text(LIST)
    assert "Say who you mean" in page
    assert all(name in page for name in ("Bought in the last 90 days", "Stopped buying", "Agreed to SMS"))


def test_a_ready_one_is_filled_in_and_can_be_saved_as_it_is(pages, three):
    page = pages.client.get(f"{LIST}/new?example=never").text
    assert 'value="Known but never bought"' in page
    conditions = json.loads(
        re.search(r"<textarea[^>]*>(.*?)</textarea>", page, re.DOTALL).group(1).replace("&#34;", '"')
    )
    segment_id = pages.save("Never", conditions)
    assert "Alan" in pages.text(f"{LIST}/{segment_id}/members")


@pytest.mark.parametrize("key", ["bought", "stopped", "never", "sms"])
def test_every_ready_one_is_a_valid_condition(pages, key):
    from app.cdp.pages.segment_examples import BY_KEY

    assert pages.preview(BY_KEY[key].conditions)["count"] == 0


def test_the_list_tells_each_condition_as_a_sentence_with_its_size(pages, three):
    pages.save("Bought lately", all_of(BOUGHT))
    row = pages.text(LIST)
    assert "Bought lately Everyone who did purchase in the last 90 days. 2" in row


def test_a_segment_in_a_condition_is_told_by_its_name_and_says_who_uses_it(pages, three):
    base = pages.save("Buyers", all_of(BOUGHT))
    pages.save("Quiet buyers", all_of({"type": "segment", "segment_id": base}, NO_SMS))
    assert "is in segment “Buyers”" in pages.text(LIST)
    assert "Quiet buyers" in pages.text(f"{LIST}/{base}").split("Used by")[1]


def test_the_list_is_searched_and_ordered_by_its_address(pages, three):
    pages.save("Alpha", all_of(BOUGHT))
    pages.save("Beta", all_of({"type": "trait", "trait": "email", "operator": "is_set"}))
    pages.client.get(LIST)  # shows the notes about what was saved
    assert "Beta" not in pages.text(f"{LIST}?q=alp")
    largest = pages.text(f"{LIST}?sort=size")
    assert largest.index("Beta") < largest.index("Alpha")
    assert "Nothing found" in pages.text(f"{LIST}?q=zzz")


def test_the_list_costs_the_same_however_many_there_are(app, pages, three):
    from app.core.db import db

    def count() -> int:
        seen = []
        with app.app_context():
            engine = db.engine
        hooks.listen(engine, "before_cursor_execute", listener := lambda *a: seen.append(a[2]))
        pages.client.get(LIST)
        hooks.remove(engine, "before_cursor_execute", listener)
        return len(seen)

    base = pages.save("Buyers", all_of(BOUGHT))
    pages.client.get(LIST)
    few = count()
    for number in range(4):
        pages.save(f"More {number}", all_of({"type": "segment", "segment_id": base}))
    assert count() == few


def test_the_preview_counts_the_whole_each_part_and_whom_one_may_reach(pages, three):
    found = pages.preview({"operator": "and", "conditions": [BOUGHT, {"operator": "or", "conditions": [NO_SMS]}]})
    assert (found["count"], found["total"]) == (1, 3)
    assert found["nodes"] == {"": 1, "0": 2, "1": 2, "1.0": 2}
    assert [one["name"] for one in found["sample"]] == ["Ada"]
    assert found["unreached"] == 1
    reach = {row["channel"]: row["count"] for row in pages.preview(all_of(BOUGHT))["reach"]}
    assert reach["sms"] == 1


def test_the_preview_says_which_node_is_wrong(pages):
    wrong = {**BOUGHT, "time_window": "last_0_days"}
    answer = pages.preview({"operator": "and", "conditions": [BOUGHT, {"operator": "or", "conditions": [wrong]}]}, 422)
    assert answer["path"] == "conditions.conditions[1].conditions[0].time_window"
    assert answer["message"].startswith("Must be")


def test_the_preview_refuses_a_segment_that_would_need_itself(pages, three):
    one = pages.save("One", all_of(BOUGHT))
    other = pages.save("Other", all_of({"type": "segment", "segment_id": one}))
    circle = all_of({"type": "segment", "segment_id": other})
    assert "circle" in pages.preview(circle, 422, segment_id=one)["message"]


def test_without_scripts_the_form_counts_before_it_is_saved(pages, three):
    page = pages.post(f"{LIST}/new", name="", conditions=json.dumps(all_of(BOUGHT)), do="preview")
    assert page.status_code == 200
    assert ">2</span>" in page.text
    assert pages.client.get(LIST).text.count("seg-name") == 0


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": "", "conditions": json.dumps(all_of(BOUGHT))}, "Must have 1 to 200 characters"),
        ({"name": "A", "conditions": "{not json"}, "not valid JSON"),
        ({"name": "A", "conditions": json.dumps(all_of({"type": "event"}))}, "Is missing"),
    ],
)
def test_what_is_refused_stays_in_the_form_and_says_why(pages, fields, said):
    answer = pages.post(f"{LIST}/new", **fields)
    assert answer.status_code == 422
    assert said in answer.text
    assert fields["conditions"].replace('"', "&#34;") in answer.text


def test_another_condition_counts_the_segment_anew(pages, three):
    segment_id = pages.save("Who", all_of(BOUGHT))
    pages.save("Who", all_of(BOUGHT, NO_SMS), f"{LIST}/{segment_id}/edit")
    page = pages.text(f"{LIST}/{segment_id}")
    assert "consent to SMS is not granted" in page
    assert "Grace" not in pages.text(f"{LIST}/{segment_id}/members")


def test_who_came_and_left_is_told(pages, people, three):
    segment_id = pages.save("Buyers", all_of(BOUGHT))
    people.send("purchase", user_id="Alan", properties={"amount": 1})
    pages.run_jobs()
    page = pages.text(f"{LIST}/{segment_id}")
    assert "today 1 entered , 0 left" in page
    assert "Came last Alan" in page


def test_members_are_found_by_name(pages, three):
    segment_id = pages.save("Known", all_of({"type": "trait", "trait": "email", "operator": "is_set"}))
    page = pages.text(f"{LIST}/{segment_id}/members?q=gra")
    assert "Grace" in page
    assert "Ada" not in page


def test_why_someone_is_in_or_not_is_told_part_by_part(pages, three):
    segment_id = pages.save("Buyers", all_of(BOUGHT, NO_SMS))
    assert "Alan" in pages.text(f"{LIST}/{segment_id}/why?who=ala")
    answer = pages.client.get(f"{LIST}/{segment_id}/why?person={three['Grace']}").text
    assert "is not in" in answer
    assert len(re.findall('class="seg-yes"', answer)) == 1
    assert "consent to SMS is granted" in answer


def test_overlap_with_another_segment_is_shown(pages, three):
    buyers = pages.save("Buyers", all_of(BOUGHT))
    quiet = pages.save("Quiet", all_of(NO_SMS))
    assert "1 person in both" in pages.text(f"{LIST}/{buyers}/overlap?with={quiet}").replace("\xa0", " ")


def test_a_static_one_keeps_its_people(pages, people, three):
    segment_id = pages.save("Buyers", all_of(BOUGHT))
    answer = pages.post(f"{LIST}/{segment_id}/snapshot", name="Buyers in spring")
    kept = answer.location
    people.send("purchase", user_id="Alan", properties={"amount": 1})
    pages.run_jobs()
    assert "Alan" in pages.text(f"{LIST}/{segment_id}/members")
    assert "Alan" not in pages.text(f"{kept}/members")
    assert pages.post(f"{kept}/edit", name="Spring", conditions=json.dumps(all_of(NO_SMS))).status_code == 303
    page = pages.text(kept)
    assert "Spring" in page
    assert "Ada" in page
    assert "Alan" not in page


def test_one_that_is_used_cannot_be_deleted_and_says_by_what(pages, three):
    base = pages.save("Buyers", all_of(BOUGHT))
    user = pages.save("Quiet buyers", all_of({"type": "segment", "segment_id": base}))
    pages.post(f"{LIST}/{base}/delete")
    assert "used by segment Quiet buyers" in pages.text(f"{LIST}/{base}")
    for segment_id in (user, base):
        assert pages.post(f"{LIST}/{segment_id}/delete").location.endswith(LIST)
        pages.text(f"{LIST}/{segment_id}", 404)


def test_words_are_those_of_the_own_workspace(pages, three, client_for, other_member, run_jobs):
    def words(who, **asked):
        return {one["name"] for one in who.client.get(f"{LIST}/words", query_string=asked).get_json()["words"]}

    assert words(pages, event="purchase") == {"amount", "category"}
    assert words(pages, event="purchase", property="category") == {"fruit"}
    assert words(pages, trait="city") == {"Leeds", "York"}
    other = Segments(client_for(other_member), run_jobs)
    assert words(other, event="purchase") == words(other, trait="city") == set()


def test_another_workspace_finds_nothing(pages, three, client_for, other_member, run_jobs):
    segment_id = pages.save("Buyers", all_of(BOUGHT))
    other = Segments(client_for(other_member), run_jobs)
    for part in ("", "/members", "/why", "/overlap", "/edit"):
        other.text(f"{LIST}/{segment_id}{part}", 404)
    assert other.post(f"{LIST}/{segment_id}/delete").status_code == 404
    assert other.preview(all_of(BOUGHT))["total"] == 0
    assert "no segment" in other.preview(all_of({"type": "segment", "segment_id": segment_id}), 422)["message"]


def test_a_viewer_looks_and_changes_nothing(pages, three, make_member, member, client_for, run_jobs):
    segment_id = pages.save("Buyers", all_of(BOUGHT))
    viewer = Segments(client_for(make_member("viewer", member.tenant_id)), run_jobs)
    page = viewer.text(f"{LIST}/{segment_id}")
    assert "Ada" in page
    assert "Edit" not in page
    for url in (f"{LIST}/new", f"{LIST}/{segment_id}/edit"):
        assert viewer.client.get(url).status_code == 403
    assert viewer.post(f"{LIST}/{segment_id}/delete").status_code == 403
    viewer.preview(all_of(BOUGHT), 403)


def test_a_search_finds_segments(pages, three):
    pages.save("Bought lately", all_of(BOUGHT))
    assert "Bought lately" in pages.text("/app/search?q=bought")
