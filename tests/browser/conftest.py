"""A real browser on a live server: people log in by the login page, click what they see, and read what they get.

Chromium is Debian's. Without one the walks are skipped with a line that says how to get it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from billing.dev import system
from tests.billing.world import World, build_world
from tests.cast import PASSWORD, Cast

PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
PATIENCE_MS = 15_000

Visit = Callable[..., Page]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    missing = system.missing_for_browser()
    if missing:
        pytest.skip(
            f"no browser to drive on this machine; as root ./test brings it: apt-get install {' '.join(missing)}"
        )
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(
            executable_path=system.browser(), args=["--no-sandbox", "--disable-dev-shm-usage", "--hide-scrollbars"]
        )
        yield found
        found.close()


@pytest.fixture
def world(transactional_db: None, cast: Cast, tmp_path: Path, settings: Any) -> World:
    settings.MEDIA_ROOT = str(tmp_path / "files")
    return build_world(cast, tmp_path)


@pytest.fixture
def visit(chromium: Browser, live_server: Any) -> Iterator[Visit]:
    """`visit("harbour", phone=True)`: a page where this member has logged in. What the browser complains of, fails."""
    contexts, complaints = [], []

    def open_as(name: str, *, phone: bool = False) -> Page:
        size: Any = PHONE if phone else DESK
        context = chromium.new_context(viewport=size, locale="en-GB", base_url=live_server.url, accept_downloads=True)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None)
        log_in(page, name)
        return page

    yield open_as
    for context in contexts:
        context.close()
    assert complaints == []


def log_in(page: Page, name: str) -> None:
    page.goto("/auth/login/")
    page.fill("[name=login]", f"{name}@cast.example")
    page.fill("[name=password]", PASSWORD)
    page.click("form[data-login] button[type=submit]")
    page.wait_for_url(lambda url: "/auth/" not in url)
