"""What someone may try with a token: forged, changed, outdated or somebody else's, it is 401 like any other."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import timedelta

import jwt
import pytest
from sqlalchemy import update

from app.accounts.models import Membership, Tenant, User, UserSession
from app.accounts.services import sessions, tokens
from app.core.clock import utc_now
from app.core.db import db, unit_of_work


@pytest.fixture
def signed_in(app):
    """Open a token session for someone: `(access token, its claims)`."""

    def make(who, kind="tokens"):
        with app.app_context(), unit_of_work():
            user = db.session.get_one(User, who.id)
            session, _token = sessions.open_session(user, sessions.Visit("192.0.2.1", "a program", kind=kind))
            access = tokens.issue_access(user.id, session.id, session.tenant_id)
        return access, jwt.decode(access, options={"verify_signature": False})

    return make


@pytest.fixture
def forge(app):
    """A token of these claims, signed as we sign unless told otherwise."""

    def make(claims, *, key=None, headers=None, algorithm="HS256"):
        key_id, own_key = next(iter(tokens.signing_keys().items()))
        return jwt.encode(claims, own_key if key is None else key, algorithm, headers={"kid": key_id} | (headers or {}))

    return make


@pytest.fixture
def ask(app):
    """What `GET /audience` answers to a bearer, without any cookie."""

    def call(token, path="/audience"):
        return app.test_client().get(path, headers={"Authorization": f"Bearer {token}"})

    return call


@pytest.fixture
def refused(ask):
    def check(token, code="token_invalid"):
        answer = ask(token)
        assert answer.status_code == 401, answer.text
        assert set(answer.get_json()) == {"error", "code"}
        assert answer.get_json()["code"] == code
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        return True

    return check


def plain(part: dict) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def test_a_good_token_is_let_in(signed_in, forge, ask, member):
    access, claims = signed_in(member)
    assert ask(access).status_code == 200
    assert ask(forge(claims)).status_code == 200  # so a refusal below is for what was changed, and nothing else


@pytest.mark.parametrize("word", ["none", "None", "NONE", "nOnE", "", None])
@pytest.mark.parametrize("signature", ["", "x"])
def test_a_token_that_says_it_needs_no_signature(signed_in, refused, member, word, signature):
    _access, claims = signed_in(member)
    header = {"alg": word, "typ": "JWT", "kid": next(iter(tokens.signing_keys()))}
    assert refused(f"{plain(header)}.{plain(claims)}.{signature}")


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
def test_a_token_signed_by_another_method(signed_in, forge, refused, member, algorithm):
    assert refused(forge(signed_in(member)[1], algorithm=algorithm))


@pytest.mark.parametrize("key", [b"x" * 32, b"parley-development-secret-not-for-production", b"\0" * 32])
def test_a_token_signed_with_another_key(signed_in, forge, refused, member, key):
    assert refused(forge(signed_in(member)[1], key=key))


@pytest.mark.parametrize(
    "kid",
    ["unknown", "", "../../../../dev/null", "/dev/null", "' UNION SELECT 'x", "file:///etc/passwd", 7, None, ["x"], {}],
)
def test_a_token_that_names_a_key_we_do_not_have(signed_in, refused, member, kid):
    _access, claims = signed_in(member)
    header, body = plain({"alg": "HS256", "typ": "JWT", "kid": kid}), plain(claims)
    for key in (b"", b"x" * 32, next(iter(tokens.signing_keys().values()))):
        signature = hmac.new(key, f"{header}.{body}".encode(), hashlib.sha256).digest()
        assert refused(f"{header}.{body}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}")


def test_a_token_without_the_name_of_its_key(signed_in, refused, member):
    assert refused(jwt.encode(signed_in(member)[1], next(iter(tokens.signing_keys().values())), "HS256"))


def test_a_token_whose_key_stands_in_its_own_header(signed_in, forge, refused, member):
    own = base64.urlsafe_b64encode(b"y" * 32).decode()
    headers = {"jwk": {"kty": "oct", "k": own}, "jku": "https://evil.example/keys.json"}
    assert refused(forge(signed_in(member)[1], key=b"y" * 32, headers=headers))


@pytest.mark.parametrize("part", [0, 1, 2])
def test_a_token_that_was_changed_anywhere(signed_in, refused, member, part):
    parts = signed_in(member)[0].split(".")
    middle = len(parts[part]) // 2
    parts[part] = parts[part][:middle] + ("A" if parts[part][middle] != "A" else "B") + parts[part][middle + 1 :]
    assert refused(".".join(parts))


def test_a_payload_that_was_changed_under_its_signature(signed_in, refused, member, other_member):
    header, _body, signature = signed_in(member)[0].split(".")
    claims = signed_in(member)[1] | {"tid": other_member.tenant_id, "sub": str(other_member.id)}
    assert refused(f"{header}.{plain(claims)}.{signature}")


def test_an_expired_token(signed_in, forge, refused, member):
    _access, claims = signed_in(member)
    past = int((utc_now() - timedelta(seconds=2)).timestamp())
    assert refused(forge(claims | {"exp": past}), "token_expired")


def test_a_token_of_the_future(signed_in, forge, refused, member):
    _access, claims = signed_in(member)
    later = int((utc_now() + timedelta(hours=1)).timestamp())
    assert refused(forge(claims | {"nbf": later}))
    assert refused(forge(claims | {"iat": later, "exp": later + 60}))


@pytest.mark.parametrize("claim", ["exp", "iat", "sub", "sid", "tid", "aud", "iss"])
def test_a_token_that_leaves_something_out(signed_in, forge, refused, member, claim):
    claims = dict(signed_in(member)[1])
    del claims[claim]
    assert refused(forge(claims))


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": "another-api"}, {"aud": ["a", "b"]}, {"aud": None}, {"iss": "evil"}, {"iss": None}, {"iss": ["parley"]},
        {"sub": "x"}, {"sub": ""}, {"sub": None}, {"sub": 7}, {"sid": "x"}, {"sid": None}, {"sid": [1]}, {"tid": None},
        {"tid": {}}, {"sid": -1}, {"exp": "soon"}, {"exp": None},
        {"sid": True}, {"tid": 1.5},
    ],
    ids=str,
)  # fmt: skip
def test_a_token_whose_claims_are_none_of_ours(signed_in, ask, member, changed):
    claims = signed_in(member)[1]
    answer = ask(forge_odd(claims | changed))
    assert (answer.status_code, answer.get_json()["code"]) == (401, "token_invalid")


def forge_odd(claims):
    """Signed as we sign, whatever the claims are: a library would refuse to write some of them."""
    key_id, key = next(iter(tokens.signing_keys().items()))
    text = f"{plain({'alg': 'HS256', 'typ': 'JWT', 'kid': key_id})}.{plain(claims)}"
    signature = hmac.new(key, text.encode(), hashlib.sha256).digest()
    return f"{text}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def test_a_token_that_claims_another_tenant_person_or_session(signed_in, forge, refused, member, other_member):
    claims, theirs = signed_in(member)[1], signed_in(other_member)[1]
    assert refused(forge(claims | {"tid": theirs["tid"]}))
    assert refused(forge(claims | {"sub": theirs["sub"]}))
    assert refused(forge(claims | {"sid": theirs["sid"]}))
    assert refused(forge(claims | {"sid": claims["sid"] + 1000}))


def test_a_token_for_the_session_of_a_browser(signed_in, refused, member):
    assert refused(signed_in(member, kind="browser")[0])


def change(app, statement):
    with app.app_context(), unit_of_work():
        db.session.execute(statement)


ENDINGS = {
    "its session ended": lambda claims, who: (
        update(UserSession).where(UserSession.id == claims["sid"]).values(ended_at=utc_now())
    ),
    "its session ran out": lambda claims, who: (
        update(UserSession).where(UserSession.id == claims["sid"]).values(expires_at=utc_now())
    ),
    "the user is disabled": lambda claims, who: update(User).where(User.id == who.id).values(is_enabled=False),
    "the membership is off": lambda claims, who: (
        update(Membership).where(Membership.user_id == who.id).values(is_active=False)
    ),
    "the tenant is closed": lambda claims, who: (
        update(Tenant).where(Tenant.id == who.tenant_id).values(is_active=False)
    ),
}  # fmt: skip


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_token_is_worthless_at_once_when(app, signed_in, ask, refused, member, ending):
    access, claims = signed_in(member)
    assert ask(access).status_code == 200
    change(app, ENDINGS[ending](claims, member))
    assert refused(access)


def test_a_retired_key_is_good_while_it_stands_in_the_list(signed_in, ask, refused, member, settings_override):
    old, new = "o" * 40, "n" * 40
    settings_override(jwt_keys=old)
    access, _claims = signed_in(member)
    settings_override(jwt_keys=f"{new}, {old}")
    assert ask(access).status_code == 200
    fresh, _claims = signed_in(member)
    assert jwt.get_unverified_header(fresh)["kid"] != jwt.get_unverified_header(access)["kid"]
    settings_override(jwt_keys=new)
    assert refused(access)
    assert ask(fresh).status_code == 200


@pytest.mark.parametrize(
    "header",
    ["Bearer", "Bearer ", "Basic dXNlcjpwYXNz", "Token x", "Bearer a b", "Bearer \u00e9", "Bearer " + "x." * 5000, "x"],
)
def test_a_header_that_is_no_credential_is_refused_and_never_passed_over_for_the_cookie(client, header):
    answer = client.get("/audience", headers={"Authorization": header})
    assert (answer.status_code, answer.get_json()["code"]) == (401, "token_invalid")
