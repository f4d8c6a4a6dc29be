"""Whatever leaves the system can be said in Spanish, and the compiled catalogue is the one that can be read."""

import ast
import gettext
import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import translation
from django.utils.functional import Promise
from pytest_django import Settings

from audit.ledger import uuid7
from telehealth.outbox import replies, texts
from telehealth.outbox.moments import facts_of
from tests.conformance.source import ROOT

CATALOGUE = ROOT / "locale" / "es" / "LC_MESSAGES"
START = datetime(2026, 11, 24, 15, tzinfo=UTC)
PAGES = (
    "scheduling/templates/scheduling/answer.html",
    "telehealth/portal/templates/portal/bare.html",
    "telehealth/portal/templates/404.html",
)
DOMAIN = "https://portal.clinic.example"
moment = START


def facts(about_id: object, language: str, zone: ZoneInfo) -> dict[str, str]:
    return facts_of(moment, zone)


def path(about_id: object) -> str:
    return f"/appointments/answer/{'T' * 22}/"


def written() -> dict[str, str]:
    """The catalogue that people edit: context and text to translation, as gettext keeps them."""
    found = {}
    for entry in re.split(r"\n\s*\n", (CATALOGUE / "django.po").read_text()):
        parts: dict[str, str] = {}
        name = ""
        for line in entry.splitlines():
            if line.startswith("#"):
                continue
            word, _, rest = line.partition(" ") if not line.startswith('"') else (name, "", line)
            name = word
            parts[name] = parts.get(name, "") + ast.literal_eval(rest)
        key = f"{parts['msgctxt']}\x04{parts['msgid']}" if "msgctxt" in parts else parts["msgid"]
        found[key] = parts["msgstr"]
    return found


def test_the_compiled_catalogue_is_made_from_the_written_one() -> None:
    with (CATALOGUE / "django.mo").open("rb") as file:
        compiled = vars(gettext.GNUTranslations(file))["_catalog"]
    assert compiled == written(), "msgfmt --check -o django.mo django.po"
    assert len(compiled) > 50
    assert [key for key, said in written().items() if not said] == []


def said(text: str | Promise, language: str) -> str:
    with translation.override(language):
        return str(text)


def everything() -> list[str | Promise]:
    sentences = [part for text in texts.TEXTS.values() for part in (text.subject, text.sentence, text.brief) if part]
    return [*sentences, texts.OPT_OUT, *replies.TEXTS.values()]


def test_every_text_is_translated_and_keeps_its_gaps() -> None:
    known = written()
    missing = [said(text, "en") for text in everything() if said(text, "en") not in known]
    assert missing == []
    for text in everything():
        gaps = [set(re.findall(r"%\(\w+\)s", said(text, language))) for language in ("en", "es")]
        assert gaps[0] == gaps[1], said(text, "en")
        assert said(text, "es") != said(text, "en")


@pytest.mark.parametrize("page", PAGES)
def test_every_word_of_the_answer_page_is_translated(page: str) -> None:
    source = (ROOT / page).read_text()
    found = re.findall(r"""translate (?:"([^"]+)"|'([^']+)')""", source)
    assert found
    assert [first or second for first, second in found if (first or second) not in written()] == []


def test_the_time_is_said_in_each_language() -> None:
    zone = ZoneInfo("America/New_York")
    assert facts_of(START, zone)["when"] == "Tuesday, 24 November at 10:00 (EST)"
    with translation.override("es"):
        assert facts_of(START, zone)["when"] == "martes, 24 de noviembre a las 10:00 (EST)"
        assert facts_of(START + timedelta(days=230), zone)["when"] == "lunes, 12 de julio a las 11:00 (EDT)"


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("zone", ["America/New_York", "Pacific/Chatham", "America/Sao_Paulo"])
def test_a_text_is_one_of_160_with_name_link_and_the_way_out(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, language: str, zone: str
) -> None:
    settings.CLINIC_NAME, settings.PUBLIC_URL = "Harbor Clinic", DOMAIN
    settings.OUTBOX_FACTS = dict.fromkeys(settings.OUTBOX_FACTS, "tests.outbox.test_spanish.facts")
    settings.OUTBOX_LINKS = dict.fromkeys(settings.OUTBOX_LINKS, "tests.outbox.test_spanish.path")
    for day in range(0, 366, 5):
        monkeypatch.setattr("tests.outbox.test_spanish.moment", START + timedelta(days=day, hours=day % 24))
        for kind, text in texts.TEXTS.items():
            if "sms" not in text.channels:
                continue
            brief = texts.brief(kind, uuid7(), language, ZoneInfo(zone))
            assert len(brief) <= 160, brief
            assert brief.startswith("Harbor Clinic: ")
            assert DOMAIN in brief
            assert ("STOP" if language == "en" else "ALTO") in brief


@pytest.mark.parametrize("language", ["en", "es"])
def test_where_the_link_does_not_fit_name_and_way_out_stay(settings: Settings, language: str) -> None:
    settings.CLINIC_NAME, settings.PUBLIC_URL = "N" * 30, f"https://{'d' * 60}.example"
    settings.OUTBOX_FACTS = dict.fromkeys(settings.OUTBOX_FACTS, "tests.outbox.test_spanish.facts")
    settings.OUTBOX_LINKS = dict.fromkeys(settings.OUTBOX_LINKS, "tests.outbox.test_spanish.path")
    brief = texts.brief("appointment_reminder", uuid7(), language, ZoneInfo("America/Sao_Paulo"))
    assert len(brief) <= 160
    assert brief.startswith("N" * 30)
    assert brief.endswith(str(said(texts.OPT_OUT, language)))


@pytest.mark.parametrize("language", ["en", "es"])
def test_a_reply_is_of_one_piece(settings: Settings, language: str) -> None:
    settings.CLINIC_NAME, settings.CLINIC_PHONE = "Harbor Clinic of Quincy", "617-555-0100"
    with translation.override(language):
        assert {len(replies.words_of(meaning)) <= 160 for meaning in replies.Meaning} == {True}
