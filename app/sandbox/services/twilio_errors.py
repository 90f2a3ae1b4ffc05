"""Twilio's refusals: its codes, their HTTP status, their words."""

from __future__ import annotations

from flask import Response

from app.sandbox import frame
from app.sandbox.faults import Fault

CODES: dict[int, tuple[int, str]] = {
    20001: (400, "Invalid parameter"),
    20003: (401, "Authenticate"),
    20005: (403, "Account not active"),
    20404: (404, "The requested resource was not found"),
    20422: (422, "Invalid request body"),
    20429: (429, "Too Many Requests"),
    20500: (500, "An internal server error has occurred"),
    20503: (503, "Service Unavailable"),
    21211: (400, "Invalid 'To' Phone Number: {to}"),
    21212: (400, "Invalid From Number (caller ID): {sender}"),
    21408: (400, "Permission to send an SMS has not been enabled for the region indicated by the 'To' number: {to}"),
    21602: (400, "Message body is required."),
    21603: (400, "A 'From' phone number is required."),
    21604: (400, "A 'To' phone number is required."),
    21606: (400, "The 'From' phone number provided ({sender}) is not a valid message-capable Twilio phone number."),
    21609: (400, "Invalid 'StatusCallback' url"),
    21610: (400, "Attempt to send to unsubscribed recipient"),
    21611: (429, "This 'From' number has exceeded the maximum number of queued messages"),
    21612: (400, "Message cannot be sent with the current combination of 'To' ({to}) and 'From' ({sender}) parameters"),
    21614: (400, "'To' number is not a valid mobile number: {to}"),
    21617: (400, "The concatenated message body exceeds the 1600 character limit"),
    21620: (400, "Invalid media URL(s)"),
    21623: (400, "Number of media files exceeds allowed limit"),
    21655: (400, "The ContentSid is Invalid"),
    21656: (400, "The Content Variables parameter is invalid"),
    21701: (404, "The Messaging Service does not exist"),
    21910: (400, "Invalid From and To pair. From and To should be of the same channel"),
    30409: (400, "The message is not in a state that can be canceled"),
    35111: (400, "SendAt cannot be empty for ScheduleType 'fixed'"),
    35114: (400, "SendAt time must be more than 300 seconds in the future"),
    35115: (400, "SendAt time must be no more than 35 days in the future"),
    35118: (400, "MessagingServiceSid is required to schedule a message"),
    63007: (400, "Twilio could not find a Channel with the specified From address"),
    63018: (429, "Rate limit exceeded for Channel"),
    63038: (429, "Account exceeded the daily messages limit"),
}
USUAL = {400: 20001, 401: 20003, 403: 20005, 404: 20404, 429: 20429, 503: 20503}


class Refused(Exception):
    """What the platform would not do."""

    def __init__(self, code: int, message: str = "", **named: str) -> None:
        super().__init__(code)
        self.code = code
        self.status, words = CODES[code]
        self.message = message or words.format(**{"to": "", "sender": "", **named})


def answer(refused: Refused) -> Response:
    """A refusal in Twilio's shape."""
    headers = {"Retry-After": "1"} if refused.status == 429 else {}
    if refused.status == 401:
        headers["WWW-Authenticate"] = 'Basic realm="Twilio API"'
    return error(refused.status, refused.code, refused.message, headers)


def refuse(status: int, fault: Fault) -> Response:
    """A fault every service shares, in Twilio's words."""
    code = int(fault.number("code", USUAL.get(status, 20500)))
    words = str(fault.params.get("message") or CODES.get(code, (0, "An error has occurred"))[1])
    return error(status, code, words, frame.retry_headers(status, fault))


def error(status: int, code: int, message: str, headers: dict[str, str] | None = None) -> Response:
    """Code, message, where to read more, status."""
    more = f"https://www.twilio.com/docs/errors/{code}"
    return frame.json_response({"code": code, "message": message, "more_info": more, "status": status}, status, headers)
