"""The words people write to hear nothing more, to hear from us again, or to ask who writes, in our markets' languages.

English is what Twilio answers by itself (its default keywords), with OPT-OUT, REMOVE and TD, which rules of the US and
Canada name besides (AWS, Required opt-out keywords). ARRET and AIDE are what Canadian short codes must take in French.
STOP is asked for everywhere in Europe; the other words are those senders there usually print under a message. A word
counts only when it is the whole message: "stop by tomorrow?" is a question. Words that end are many, words that begin
again few: who is left alone by mistake can ask, who is written to against their will cannot.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from app.messaging.models import InboundKind

# What the provider takes for a word of its own, answers, and obeys by itself: the whole text, in any case.
PROVIDERS_OWN = frozenset(
    ("STOP", "STOPALL", "UNSUBSCRIBE", "END", "QUIT", "CANCEL", "REVOKE", "OPTOUT", "START", "YES", "UNSTOP", "HELP",
     "INFO")
)  # fmt: skip
_LONGEST = 40  # characters; no word of ours is near it
_EDGES = re.compile(r"^[\W_]+|[\W_]+$")


@dataclass(frozen=True)
class Language:
    """Words of a language, and what is answered to them. `{name}` is the workspace."""

    stop: tuple[str, ...]
    start: tuple[str, ...]
    help: tuple[str, ...]
    stopped: str
    started: str


LANGUAGES: dict[str, Language] = {
    "en": Language(
        ("STOP", "STOPALL", "STOP ALL", "UNSUBSCRIBE", "END", "QUIT", "CANCEL", "REVOKE", "OPTOUT", "OPT OUT",
         "OPT-OUT", "REMOVE", "TD"),
        ("START", "YES", "UNSTOP"),
        ("HELP", "INFO"),
        "You will get no more messages from {name}. Write START to get them again.",
        "You will get messages from {name} again. Write STOP to end them.",
    ),
    "de": Language(
        ("STOPP", "ABMELDEN", "ABBESTELLEN", "BEENDEN", "KÜNDIGEN", "AUSTRAGEN"),
        ("ANMELDEN",),
        ("HILFE",),
        "Sie erhalten keine Nachrichten mehr von {name}. Schreiben Sie START, um sie wieder zu erhalten.",
        "Sie erhalten wieder Nachrichten von {name}. Schreiben Sie STOP, um sie zu beenden.",
    ),
    "fr": Language(
        ("ARRET", "ARRÊT", "ARRETER", "ARRÊTER", "DESABONNER", "DÉSABONNER", "DESINSCRIRE", "DÉSINSCRIRE"),
        ("REABONNER", "RÉABONNER"),
        ("AIDE",),
        "Vous ne recevrez plus de messages de {name}. Écrivez START pour les recevoir à nouveau.",
        "Vous recevrez à nouveau les messages de {name}. Écrivez STOP pour les arrêter.",
    ),
    "es": Language(
        ("BAJA", "CANCELAR", "PARAR", "ALTO", "DETENER"),
        ("ALTA",),
        ("AYUDA",),
        "No recibirá más mensajes de {name}. Escriba START para volver a recibirlos.",
        "Volverá a recibir mensajes de {name}. Escriba STOP para dejar de recibirlos.",
    ),
    "it": Language(
        ("FERMA", "BASTA", "ANNULLA", "DISISCRIVI", "CANCELLAMI"),
        ("ISCRIVIMI",),
        ("AIUTO",),
        "Non riceverà più messaggi da {name}. Scriva START per riceverli di nuovo.",
        "Riceverà di nuovo i messaggi di {name}. Scriva STOP per non riceverli più.",
    ),
    "nl": Language(
        ("AFMELDEN", "UITSCHRIJVEN", "STOPPEN"),
        ("AANMELDEN",),
        ("HULP",),
        "U ontvangt geen berichten meer van {name}. Schrijf START om ze weer te ontvangen.",
        "U ontvangt weer berichten van {name}. Schrijf STOP om ze te beëindigen.",
    ),
    "pt": Language(
        ("SAIR", "REMOVER", "DESCADASTRAR"),
        ("REINSCREVER",),
        ("AJUDA",),
        "Não receberá mais mensagens de {name}. Escreva START para voltar a recebê-las.",
        "Voltará a receber mensagens de {name}. Escreva STOP para deixar de as receber.",
    ),
    "pl": Language(
        ("REZYGNUJĘ", "REZYGNUJE", "WYPISZ"),
        (),
        ("POMOC",),
        "Nie otrzymasz więcej wiadomości od {name}. Napisz START, aby znów je otrzymywać.",
        "Znów będziesz otrzymywać wiadomości od {name}. Napisz STOP, aby z nich zrezygnować.",
    ),
    "sv": Language(
        ("AVSLUTA", "AVREGISTRERA", "STOPPA"),
        (),
        ("HJÄLP",),
        "Du får inga fler meddelanden från {name}. Skriv START för att få dem igen.",
        "Du får meddelanden från {name} igen. Skriv STOP för att avsluta.",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Keyword:
    """What somebody asked for, and the language they asked in."""

    kind: InboundKind
    language: str = "en"

    def confirmation(self, name: str) -> str:
        """What is answered to STOP or START."""
        words = LANGUAGES[self.language]
        return (words.started if self.kind == InboundKind.START else words.stopped).replace("{name}", name)


def recognise(body: str, opt_out_type: str = "") -> Keyword:
    """What the whole text asks for; an ordinary text is TEXT. What the provider says of it (`OptOutType`) wins."""
    found = _TABLE.get(_plain(body), Keyword(InboundKind.TEXT))
    told = opt_out_type.strip().lower()
    if told in (InboundKind.STOP, InboundKind.START, InboundKind.HELP):
        return Keyword(InboundKind(told), found.language)
    return found


def is_providers_own(body: str) -> bool:
    """Whether the provider answers this text of an SMS by itself."""
    return body.strip().upper() in PROVIDERS_OWN


def _plain(body: str) -> str:
    """Without marks around it and in one case: "Stop." and "« stop »" are the same word."""
    text = unicodedata.normalize("NFKC", body.strip()[: _LONGEST + 1])
    return " ".join(_EDGES.sub("", text).casefold().split()) if len(text) <= _LONGEST else ""


_TABLE = {
    _plain(word): Keyword(kind, code)
    for code, words in reversed(LANGUAGES.items())  # a word of several languages is taken for the first one's
    for kind, list_ in (
        (InboundKind.STOP, words.stop),
        (InboundKind.START, words.start),
        (InboundKind.HELP, words.help),
    )
    for word in list_
}
