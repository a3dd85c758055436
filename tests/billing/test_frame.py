"""The frame around every page: who gets in, whose look it wears, who acts for whom, and what errors say."""

from __future__ import annotations

import re
from decimal import Decimal
from email.message import EmailMessage
from mailbox import Maildir
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.test import Client
from django.utils.translation import override

from billing import formatting
from billing.portals import colour
from billing.portals.keyset import page_of
from tests.billing.conftest import LogIn, People
from tiers.models import Party

INLINE = re.compile(r"""\sstyle\s*=|\son[a-z]+\s*=\s*["']|<style|<script(?![^>]*(\bsrc=|application/json))""", re.I)
TEMPLATES = sorted(Path("templates").rglob("*.html"))


def test_a_stranger_is_shown_the_login(client: Client, people: People) -> None:
    assert client.get("/").headers["Location"] == "/auth/login/"
    answer = client.get("/operator/")
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/auth/login/?next=/operator/"


def test_each_member_lands_in_its_own_portal(log_in: LogIn, people: People) -> None:
    assert log_in(people.olivia).get("/").headers["Location"] == "/operator/"


def test_a_dealer_finds_nothing_in_the_operators_portal(log_in: LogIn, people: People) -> None:
    answer = log_in(people.hans).get("/operator/")
    assert answer.status_code == 404
    assert "There is no such page" in answer.content.decode()


def test_logging_in_by_e_mail_and_password(client: Client, people: People) -> None:
    answer = client.post("/auth/login/", {"login": "olivia@northstar.example", "password": "owner-pass-1"})
    assert answer.status_code == 302
    assert client.get("/operator/").status_code == 200


def test_nobody_signs_up(client: Client, people: People) -> None:
    assert client.get("/auth/signup/").status_code in {200, 404}
    client.post("/auth/signup/", {"email": "new@x.example", "password1": "a-long-pass-1", "password2": "a-long-pass-1"})
    assert not apps.get_model("tiers", "Member")._default_manager.filter(email="new@x.example").exists()


def test_acting_for_a_party_below_is_seen_and_written_down(log_in: LogIn, people: People) -> None:
    browser = log_in(people.olivia)
    answer = browser.post("/act/", {"party": str(people.harbour.pk)})
    assert answer.headers["Location"] == "/"
    assert browser.get("/operator/").status_code == 404
    assert browser.post("/act/stop/").headers["Location"] == "/"
    assert browser.get("/operator/").status_code == 200
    events = apps.get_model("tiers", "PartyEvent")._default_manager.filter(pgh_obj=people.harbour)
    labels = list(events.order_by("pgh_id").values_list("pgh_label", "pgh_context__metadata__actor"))
    assert labels[-2:] == [("acting_started", people.olivia.email), ("acting_stopped", people.olivia.email)]


@pytest.mark.parametrize("target", ["outsider", "northstar", "harbour"])
def test_nobody_acts_for_a_party_beside_above_or_itself(log_in: LogIn, people: People, target: str) -> None:
    browser = log_in(people.hans)
    party = getattr(people, target)
    assert browser.post("/act/", {"party": str(party.pk)}).status_code == 404
    assert browser.post("/act/", {"party": "nonsense"}).status_code == 404


def test_a_reader_does_not_act_for_anybody(log_in: LogIn, people: People) -> None:
    answer = log_in(people.reader).post("/act/", {"party": str(people.harbour.pk)})
    assert answer.status_code == 403
    assert "cannot act for a party below" in answer.content.decode()


@pytest.mark.parametrize("accent", ["#ffd400", "#1f5fbf", "#000000", "#ffffff", "#ff0000", "#00ff88"])
def test_an_accent_is_readable_in_light_and_dark(accent: str) -> None:
    light, dark = colour.for_light(accent), colour.for_dark(accent)
    assert colour.contrast(light.colour, colour.LIGHT_GROUND) >= colour.ENOUGH
    assert colour.contrast(light.colour, light.on) >= colour.ENOUGH
    assert colour.contrast(dark.colour, colour.DARK_GROUND) >= colour.ENOUGH
    assert colour.contrast(dark.colour, dark.on) >= colour.ENOUGH


def test_the_pages_wear_the_brands_colour(log_in: LogIn, people: People) -> None:
    assert "look.css?accent=ffd400" in log_in(people.olivia).get("/operator/").content.decode()
    sheet = Client().get("/look.css?accent=ffd400")
    assert sheet.headers["Content-Type"] == "text/css"
    assert "--tg-accent" in sheet.content.decode()
    assert "alert" not in Client().get("/look.css?accent=}alert(1)").content.decode()


@pytest.mark.parametrize("template", TEMPLATES, ids=str)
def test_no_template_has_an_inline_script_or_style(template: Path) -> None:
    if template.parent.name == "invoicing":
        pytest.skip("paper, not a page")
    assert INLINE.search(template.read_text()) is None


def test_pages_forbid_inline_scripts(log_in: LogIn, people: People) -> None:
    policy = log_in(people.olivia).get("/operator/").headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "script-src 'self'" in policy


def test_amounts_are_exact_grouped_and_have_a_real_minus() -> None:
    assert formatting.money_text(Decimal("-1234567.005"), "EUR") == "\u22121,234,567.01\u00a0EUR"
    assert formatting.money_text(Decimal("1234.5"), "JPY") == "1,235\u00a0JPY"
    assert formatting.money_text(Decimal("0.01234"), "EUR", 4) == "0.0123\u00a0EUR"
    with override("zh-hant"):
        assert formatting.money_text(Decimal("1234.5"), "HKD") == "1,234.50\u00a0HKD"


def test_durations_and_numbers_as_people_write_them() -> None:
    assert formatting.duration_text(3909) == "1:05:09"
    assert formatting.duration_text(69) == "1:09"
    assert formatting.phone_text("85223456789") == "+852 2345 6789"
    assert formatting.phone_text("1001") == "1001"


def test_pages_by_key_go_forth_and_back(people: People) -> None:
    rows = Party.objects.all()
    everyone = [str(party.pk) for party in rows.order_by("-id")]
    first = page_of(rows, {}, size=2)
    assert [str(row.pk) for row in first.rows] == everyone[:2]
    assert first.previous is None
    second = page_of(rows, {"after": first.following}, size=2)
    assert [str(row.pk) for row in second.rows] == everyone[2:4]
    third = page_of(rows, {"after": second.following}, size=2)
    assert [str(row.pk) for row in third.rows] == everyone[4:]
    assert third.following is None
    back = page_of(rows, {"before": third.previous}, size=2)
    assert [str(row.pk) for row in back.rows] == everyone[2:4]
    assert page_of(rows, {"after": "nonsense"}, size=2).rows == first.rows


def mail_with(subject: str) -> EmailMessage:
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = subject, "n@x.example", "a@x.example"
    message["Date"] = "Sat, 21 Nov 2026 20:00:00 +0000"
    message.set_content("38.20 EUR is due")
    message.add_alternative('<p style="color:red">38.20 EUR</p><script>alert(1)</script>', subtype="html")
    message.add_attachment(b"%PDF-1.7", maintype="application", subtype="pdf", filename="Northstar-1.pdf")
    return message


def test_the_demos_mail_box_shows_mails_and_keeps_their_html_caged(
    client: Client, people: People, settings: Any, tmp_path: Path
) -> None:
    settings.DEMO, settings.MAIL_DIR = True, str(tmp_path / "mail")
    key = Maildir(tmp_path / "mail").add(mail_with("Invoice 2026-00042").as_bytes())
    assert "Invoice 2026-00042" in client.get("/demo/mail/").content.decode()
    assert "Northstar-1.pdf" in client.get(f"/demo/mail/{key}/").content.decode()
    body = client.get(f"/demo/mail/{key}/body/")
    assert "sandbox" in body.headers["Content-Security-Policy"]
    assert "script-src" not in body.headers["Content-Security-Policy"]
    download = client.get(f"/demo/mail/{key}/0/")
    assert download.content == b"%PDF-1.7"
    assert "Northstar-1.pdf" in download.headers["Content-Disposition"]
    assert client.get("/demo/mail/nothing/").status_code == 404


def test_outside_the_demo_there_is_no_mail_box(client: Client, people: People, settings: Any, tmp_path: Path) -> None:
    settings.DEMO, settings.MAIL_DIR = False, str(tmp_path)
    assert client.get("/demo/mail/").status_code == 404
