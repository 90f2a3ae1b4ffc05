"""Conversations as pages: saying, editing, branching, naming, exporting; plain forms, as without JavaScript."""

import re

import pytest

from tests.insights.chats import Talk
from tests.insights.panels import make_panel


@pytest.fixture
def panel(client, in_tenant, member):
    return make_panel(client, in_tenant, member.tenant_id)


@pytest.fixture
def talk(client, panel):
    return Talk(client, panel)


def words(html):
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_a_message_sent_by_a_plain_form_is_answered_on_the_page(talk, run_jobs):
    answer = talk.say("What is hardest about dinner?")
    assert answer.status_code == 303
    assert "Show the answer" in talk.page()
    run_jobs()
    page = talk.page()
    assert [message["role"] for message in talk.messages()] == ["user", "persona"]
    assert "What is hardest about dinner?" in page
    assert "Built-in analyst" in page
    assert "Show the answer" not in page


def test_the_first_message_names_the_conversation_until_it_is_renamed(talk, run_jobs, client):
    talk.say(
        "Why did you stop ordering the weeknight box in September, after four good months with us and our drivers?"
    )
    title = re.search(r'<span class="t">\s*(.*?)</span>', client.get("/app/conversations").text).group(1)
    assert title.startswith("Why did you stop ordering")
    assert len(title) <= 70
    run_jobs()
    talk.post(f"/app/conversations/{talk.id}/rename", title="The box that lost her")
    talk.say("And now?")
    assert "The box that lost her" in client.get("/app/conversations").text


def test_the_same_message_sent_twice_is_kept_once(talk, run_jobs):
    talk.say("Once, please.", nonce="n1")
    assert talk.say("Once, please.", nonce="n1").status_code == 303
    run_jobs()
    assert talk.say("Once, please.", nonce="n1").status_code == 303
    assert [message["content"] for message in talk.messages() if message["role"] == "user"] == ["Once, please."]


def test_sending_while_an_answer_is_on_its_way_keeps_what_was_typed(talk):
    talk.say("First.")
    refused = talk.say("Second, typed with care.")
    assert refused.status_code == 409
    assert "Second, typed with care." in refused.text
    assert "on its way" in refused.text


def test_an_empty_message_is_refused_beside_the_field(talk):
    refused = talk.say("   ")
    assert refused.status_code == 422
    assert 'class="ply-error"' in refused.text


def test_editing_a_message_sets_what_followed_aside_but_keeps_it(talk, run_jobs, member, in_tenant):
    talk.say("What do you cook on Mondays?")
    run_jobs()
    talk.say("And on Fridays?")
    run_jobs()
    first = talk.turns()[0]
    talk.say("What do you cook on Sundays?", edit_turn_id=first)
    run_jobs()
    said = [message["content"] for message in talk.messages() if message["role"] == "user"]
    assert said == ["What do you cook on Sundays?"]
    from sqlalchemy import func, select

    from app.core.db import db
    from app.insights.models import ChatTurn

    with in_tenant(member.tenant_id):
        kept = db.session.scalar(select(func.count(ChatTurn.id)).where(ChatTurn.conversation_id == talk.id))
    assert kept == 6


def test_an_answer_given_again_takes_the_place_of_the_old_one_which_can_still_be_read(talk, run_jobs, client):
    talk.say("What do you like to read?")
    run_jobs()
    old = talk.turns()[-1]
    assert talk.act(old, "regenerate").status_code == 303
    run_jobs()
    new = talk.turns()[-1]
    assert new != old
    assert len(talk.messages()) == 2
    assert "1&nbsp;earlier answer" in talk.page() or "1\u00a0earlier answer" in talk.page()
    assert "ply-version" in client.get(f"/app/conversations/turns/{new}/versions").text


def test_an_answer_that_was_replaced_cannot_be_given_again(talk, run_jobs):
    talk.say("What do you like to read?")
    run_jobs()
    old = talk.turns()[-1]
    talk.act(old, "regenerate")
    run_jobs()
    assert talk.act(old, "regenerate").status_code == 409


def test_a_branch_shares_what_was_said_and_goes_its_own_way(talk, run_jobs, client):
    talk.say("One.")
    run_jobs()
    answer = talk.turns()[-1]
    talk.say("Two.")
    run_jobs()
    made = talk.act(answer, "branch")
    copy = int(re.search(r"/conversations/(\d+)", made.location).group(1))
    messages = client.get(f"/chat/{copy}").get_json()["messages"]
    assert messages == talk.messages()[:2]
    talk.post(f"/app/conversations/{copy}/messages", message="Three.")
    run_jobs()
    assert len(client.get(f"/chat/{copy}").get_json()["messages"]) == 4
    assert len(talk.messages()) == 4
    assert "A branch of" in client.get(f"/app/conversations/{copy}").text


def test_stopping_before_a_worker_came_leaves_nothing_to_answer(talk, run_jobs):
    talk.say("Hello?")
    turn = talk.turns()[-1]
    assert talk.act(turn, "stop").status_code == 303
    run_jobs()
    assert talk.snapshot(turn)["state"] == "stopped"
    assert "Stopped before the first word" in talk.page()
    assert talk.say("Hello again.").status_code == 303


def test_stopping_an_answer_that_is_over_changes_nothing(talk, run_jobs):
    talk.say("Hello?")
    run_jobs()
    before = talk.messages()
    assert talk.act(talk.turns()[-1], "stop").status_code == 303
    assert talk.messages() == before


def test_an_answer_shows_the_facts_it_rests_on(talk, run_jobs, client):
    talk.say("What is hardest about planning dinner?")
    run_jobs()
    answer = talk.turns()[-1]
    drawer = client.get(f"/app/conversations/turns/{answer}/evidence").text
    facts = re.findall(r'data-fact="(\d+)"', drawer)
    assert facts
    assert "ply-ev--invented" in drawer  # written by hand, so nothing of it is inferred
    page = talk.page()
    assert all(f'data-cite="{n}"' in page for n in facts)


def test_hostile_markup_in_what_is_said_and_in_the_persona_is_shown_as_text(client, panel, run_jobs):
    nasty = '<script>alert(1)</script><img src=x onerror="alert(2)">'
    tom = panel.personas["Tom Ashworth"]
    client.put(f"/personas/{tom}", json={"name": f"Tom {nasty}"[:200], "data": {"pain_points": [nasty]}})
    talk = Talk(client, panel, "Tom Ashworth")
    talk.say(f"{nasty} What troubles you?")
    run_jobs()
    for page in (talk.page(), client.get("/app/conversations").text, client.get("/app/conversations/new").text):
        assert "<script>alert" not in page
        assert "<img" not in page


def test_a_conversation_is_exported_as_markdown_with_its_facts(talk, run_jobs, client):
    talk.say("What is hardest about planning dinner?")
    run_jobs()
    file = client.get(f"/app/conversations/{talk.id}/export")
    assert file.mimetype == "text/markdown"
    assert re.search(r'attachment; filename="[\w-]+\.md"', file.headers["Content-Disposition"])
    assert "# What is hardest about planning dinner?" in file.text
    assert "## Priya Nair" in file.text
    assert "## What the answers rest on" in file.text


def test_conversations_are_found_by_title_persona_and_what_was_said(client, panel, run_jobs):
    first = Talk(client, panel)
    first.say("Let us speak of saffron.")
    run_jobs()
    second = Talk(client, panel, "Maren Holt")
    second.say("Let us speak of crates.")
    run_jobs()

    def found(text):
        return set(
            map(
                int,
                re.findall(
                    r'href="/app/conversations/(\d+)"',
                    client.get("/app/conversations/list", query_string={"q": text}).text,
                ),
            )
        )

    assert found("saffron") == {first.id}
    assert found("Maren") == {second.id}
    assert found("%") == set()


def test_a_deleted_conversation_is_gone_even_while_it_is_being_answered(talk, run_jobs, client):
    talk.say("Soon gone.")
    assert talk.post(f"/app/conversations/{talk.id}/delete").status_code == 303
    run_jobs()
    assert client.get(f"/app/conversations/{talk.id}").status_code == 404


def test_a_conversation_in_which_nothing_was_said_is_used_again(client, panel):
    assert Talk(client, panel).id == Talk(client, panel).id


def test_a_first_question_can_come_along(client, panel, run_jobs):
    talk = Talk(client, panel, message="What would bring you back?")
    run_jobs()
    assert [message["role"] for message in talk.messages()] == ["user", "persona"]


def test_openers_come_from_the_personas_troubles_and_are_not_offered_again_once_asked(talk, run_jobs):
    assert "planning dinner at five" in talk.page()
    opener = re.search(r'name="opener" value="([^"]*planning dinner[^"]*)"', talk.page()).group(1).replace("&#39;", "'")
    talk.post(f"/app/conversations/{talk.id}/messages", opener=opener, message="")
    run_jobs()
    assert talk.messages()[0]["content"] == opener
    assert 'name="opener" value="What bothers you about planning dinner' not in talk.page()


def test_a_long_conversation_shows_its_newest_part_and_leads_to_the_rest(talk, client, in_tenant, member):
    from app.core.db import db, unit_of_work
    from app.insights.models import ChatTurn

    with in_tenant(member.tenant_id), unit_of_work():
        for position in range(1, 81):
            role = "user" if position % 2 else "persona"
            db.session.add(ChatTurn(conversation_id=talk.id, position=position, role=role, content=f"Line {position}."))
    page = talk.page()
    assert "Line 80." in page
    assert "Line 50." not in page
    before = re.search(r"earlier\?before=(\d+)", page).group(1)
    part = client.get(f"/app/conversations/{talk.id}/earlier?before={before}").text
    assert "Line 50." in part
    assert "Line 51." not in part
    assert "Line 50." in client.get(f"/app/conversations/{talk.id}?before={before}").text


@pytest.fixture
def count_queries(app, client):
    """How many statements a page costs."""
    from sqlalchemy import event

    from app.core.db import db

    with app.app_context():
        engine = db.engine
    seen = []

    def note(_connection, _cursor, statement, *_):
        seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)

    def count(path):
        seen.clear()
        assert client.get(path).status_code == 200
        return len(seen)

    yield count
    event.remove(engine, "before_cursor_execute", note)


def test_a_page_needs_the_same_number_of_queries_however_much_was_said(talk, run_jobs, count_queries):
    talk.say("One.")
    run_jobs()
    count_queries(f"/app/conversations/{talk.id}")  # the first also notes when the session was last seen
    few = count_queries(f"/app/conversations/{talk.id}")
    for text in ("Two.", "Three.", "Four."):
        talk.say(text)
        run_jobs()
    assert count_queries(f"/app/conversations/{talk.id}") == few


def test_no_page_of_someone_elses_conversation_can_be_opened(
    talk, run_jobs, client_for, make_member, member, other_member, panel
):
    talk.say("Private.")
    run_jobs()
    turn = talk.turns()[-1]
    paths = [f"/app/conversations/{talk.id}{rest}" for rest in ("", "/turns", "/export", "/earlier?before=9")]
    paths += [f"/app/conversations/turns/{turn}{rest}" for rest in ("", "/evidence", "/versions")]
    for who in (make_member(tenant_id=member.tenant_id), other_member):
        visitor = client_for(who)
        assert [visitor.get(path).status_code for path in paths] == [404] * len(paths)
    stranger = client_for(other_member)
    token = re.search(r'name="csrf-token" content="([^"]+)"', stranger.get("/app/conversations").text).group(1)
    posts = [f"/app/conversations/{talk.id}/{act}" for act in ("messages", "rename", "delete")]
    posts += [f"/app/conversations/turns/{turn}/{act}" for act in ("stop", "regenerate", "branch")]
    posts += [f"/app/personas/{panel.personas['Priya Nair']}/chat"]
    data = {"csrf_token": token, "message": "Hi", "title": "Mine"}
    assert [stranger.post(path, data=data).status_code for path in posts] == [404] * len(posts)
