"""`./test shots DIR`: a picture of every page of the three portals, on a phone and on a desk, into DIR.

Each page is also asked what a picture does not show at a glance: that it does not scroll sideways, and that the browser
had nothing to complain about (a refused script or style, a missing file, a failed script).
"""

from __future__ import annotations

import os
from mailbox import Maildir
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.billing.samples import SAMPLES, Sample
from tests.billing.test_frame import mail_with
from tests.billing.world import World
from tests.browser.conftest import DESK, PHONE, log_in

pytestmark = pytest.mark.shots
SIZES = {"phone": PHONE, "desk": DESK}
ENTRANCE = ("/auth/login/", "/auth/password/reset/", "/auth/password/reset/done/", "/no-such-page/")


def folder() -> Path:
    place = Path(os.environ["TOLLGATE_SHOTS"])
    place.mkdir(parents=True, exist_ok=True)
    return place


@pytest.mark.parametrize("size", SIZES)
def test_pictures_of_all_pages(chromium: Browser, world: World, live_server: Any, size: str) -> None:
    troubles: list[str] = []
    wanted = os.environ.get("TOLLGATE_SHOTS_ONLY", "")
    for member in dict.fromkeys(sample.seen_by for sample in SAMPLES):
        samples = [one for one in SAMPLES if one.seen_by == member and one.shown and wanted in one.name]
        if samples:
            troubles += _walk(chromium, live_server.url, world, member, samples, size)
    if not wanted:
        troubles += _entrance(chromium, live_server.url, size)
    assert troubles == []


@pytest.mark.parametrize("theme", ["dark"])
def test_pictures_in_the_dark(chromium: Browser, world: World, live_server: Any, theme: str) -> None:
    """The portals' first pages and one form, in the dark."""
    troubles = []
    for member in dict.fromkeys(sample.seen_by for sample in SAMPLES):
        samples = [one for one in SAMPLES if one.seen_by == member and one.name.endswith((":home", ":calls"))]
        troubles += _walk(chromium, live_server.url, world, member, samples, "desk", theme)
    assert troubles == []


@pytest.mark.parametrize("size", SIZES)
def test_pictures_of_pages_in_use(
    chromium: Browser, world: World, live_server: Any, size: str, settings: Any, tmp_path: Path
) -> None:
    """What an address alone does not show: a filter open, a form refused, a deck before its import, the mail box."""
    settings.DEMO, settings.MAIL_DIR = True, str(tmp_path / "mail")
    Maildir(tmp_path / "mail").add(mail_with("Invoice 2026-00042 from Northstar Telecom: 38.20 EUR").as_bytes())
    deck = tmp_path / "atlas.csv"
    deck.write_text("Prefix,Destination,Rate\n852,Hong Kong,0.0300\n81,Japan,0.0210\n44,United Kingdom,oops\n")
    context = chromium.new_context(viewport=SIZES[size], locale="en-GB", base_url=live_server.url)  # type: ignore[arg-type]
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    log_in(page, "northstar")
    troubles = []

    def look(name: str) -> None:
        troubles.extend(_look(page, f"in-use-{name}-{size}", 200, said))
        said.clear()

    page.goto("/operator/calls/?party=alice&over=0.01")
    page.click("text=Narrow")
    look("filter")
    page.goto("/operator/parties/new/")
    page.click("main button[type=submit]")
    look("refused")
    page.goto("/operator/prices/tables/atlas/deck/")
    page.set_input_files("[name=file]", str(deck))
    page.click("text=Read the deck")
    look("deck")
    page.goto("/operator/settings/keys/new/")
    page.fill("[name=name]", "CRM")
    page.click("main button[type=submit]")
    look("key")
    page.goto("/auth/password/change/")
    look("password")
    page.goto("/auth/2fa/")
    look("second-factor")
    page.goto("/demo/mail/")
    look("mail-box")
    page.click(".tg-open")
    look("mail")
    page.goto("/operator/parties/harbour/")
    page.click("text=Act for it")
    look("acting")
    context.close()
    expected = ("422", "frame is sandboxed")
    assert [one for one in troubles if not any(word in one for word in expected)] == []


def _walk(
    browser: Browser, address: str, world: World, member: str, samples: list[Sample], size: str, theme: str = "light"
) -> list[str]:
    context = browser.new_context(viewport=SIZES[size], color_scheme=theme, locale="en-GB", base_url=address)  # type: ignore[arg-type]
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    log_in(page, member)
    troubles = []
    for sample in samples:
        said.clear()
        answer = page.goto(f"{address}{sample.url(world)}")
        name = f"{sample.name.replace(':', '-')}-{size}{'-dark' if theme == 'dark' else ''}"
        troubles += _look(page, name, answer.status if answer else 0, said)
    context.close()
    return troubles


def _entrance(browser: Browser, address: str, size: str) -> list[str]:
    context = browser.new_context(viewport=SIZES[size])  # type: ignore[arg-type]
    page = context.new_page()
    troubles = []
    for path in ENTRANCE:
        page.goto(f"{address}{path}")
        troubles += _look(page, f"entrance{path.replace('/', '-').rstrip('-')}-{size}", 200, [])
    context.close()
    return troubles


def _look(page: Page, name: str, status: int, said: list[str]) -> list[str]:
    page.wait_for_load_state("networkidle")
    page.screenshot(path=folder() / f"{name}.png", full_page=True)
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    troubles = [f"{name}: {text}" for text in said]
    if status != 200:
        troubles.append(f"{name}: answered {status}")
    if wide > 0:
        troubles.append(f"{name}: scrolls sideways by {wide} px")
    return troubles
