"""What bin/run tells the processes about the sandbox."""

import importlib.util
from pathlib import Path

import pytest

from app.sandbox.services import twilio_account

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def settings():
    spec = importlib.util.spec_from_file_location("_settings_of_run", ROOT / "bin" / "_settings.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_without_an_account_messages_go_to_the_sandbox(settings):
    told = settings.sandbox_services({}, "http://127.0.0.1:8090", 8080)
    assert told["TWILIO_BASE_URL"] == "http://127.0.0.1:8090/twilio"
    assert told["SANDBOX_CALLBACK_URL"] == "http://localhost:8080"
    assert (told["TWILIO_ACCOUNT_SID"], told["TWILIO_AUTH_TOKEN"]) == (
        twilio_account.ACCOUNT_SID,
        twilio_account.AUTH_TOKEN,
    )
    assert told["TWILIO_SMS_SENDER"] in twilio_account.SMS_SENDERS
    assert told["TWILIO_WHATSAPP_SENDER"] in twilio_account.WHATSAPP_SENDERS


@pytest.mark.parametrize("environment", [{"TWILIO_ACCOUNT_SID": "AC1"}, {"ENVIRONMENT": "production"}])
def test_a_real_account_and_production_are_left_alone(settings, environment):
    told = settings.sandbox_services(environment, "http://127.0.0.1:8090", 8080)
    assert not any(name.startswith("TWILIO_") for name in told)


def test_people_write_to_the_public_address_where_there_is_one(settings):
    told = settings.sandbox_services({"PUBLIC_URL": "https://parley.example.com"}, "http://127.0.0.1:8090", 8080)
    assert told["SANDBOX_CALLBACK_URL"] == "https://parley.example.com"
