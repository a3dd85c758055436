"""Every address of the product has a sample here, and none of them shows a stranger what is not theirs."""

from __future__ import annotations

from collections.abc import Iterator

from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from tests.billing.samples import SAMPLES, Sample
from tests.billing.world import World

FRAME = {
    "front_door": "the way in: login, or the reader's own portal",
    "alarm": "leads into the reader's own portal, whatever it names",
    "look_css": "a colour that the address itself names",
    "look_logo": "the logo of the brand that this reader meets anyway",
    "choose": "by a one-time link only; test_carrier_link",
    "choose_open": "the link itself",
    "start_acting": "posts only; test_frame holds who may",
    "stop_acting": "posts only",
    "set_language": "posts only",
    "demo_mail": "404 outside the demo; test_frame",
    "demo_mail_one": "404 outside the demo",
    "demo_mail_body": "404 outside the demo",
    "demo_mail_attachment": "404 outside the demo",
    **dict.fromkeys(("live:call_authorize", "live:call_start"), "for switches with a key; test_live_door"),
    **dict.fromkeys(("live:call_interim", "live:call_end", "live:call_failed"), "for switches; test_live_door"),
    "live:call_freeswitch": "for switches with a key; test_live_freeswitch",
    **dict.fromkeys(("radius:radius_authorize", "radius:radius_accounting"), "for RADIUS; test_live_door"),
    "api_schema": "the API's form, without data",
    "api_docs": "the API's form, without data",
}
LOGIN_PREFIXES = ("account_", "mfa_")
API = "api:"
"""Held by test_api_tenants."""

OF_THE_SAME_KIND = {"operator": "northstar", "dealer": "outsider", "customer": "mallory"}
OF_OTHER_KINDS = {"operator": ("outsider", "mallory"), "dealer": ("mallory",), "customer": ("outsider",)}


def names(patterns: list[URLPattern | URLResolver], prefix: str = "") -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{prefix}{pattern.namespace}:" if pattern.namespace else prefix
            yield from names(pattern.url_patterns, inner)
        else:
            yield f"{prefix}{pattern.name}"


def is_ours(name: str) -> bool:
    return not name.startswith((*LOGIN_PREFIXES, API))


def test_every_address_has_a_sample() -> None:
    known = {sample.name for sample in SAMPLES} | set(FRAME)
    ours = {name for name in names(get_resolver().url_patterns) if is_ours(name)}
    assert ours - known == set(), "pages without a sample in tests/billing/samples.py"
    assert known - ours == set(), "samples of pages that are gone"


def test_the_members_whose_page_it_is_see_it(world: World) -> None:
    refused = {}
    for member, samples in by_member().items():
        browser = world.cast.client(member)
        for sample in samples:
            status = browser.get(sample.url(world)).status_code
            if status != 200 and sample.name not in GONE:
                refused[sample.name] = status
    assert refused == {}


def test_nobody_without_a_login_sees_anything(world: World) -> None:
    for sample in SAMPLES:
        for method in ("get", "post"):
            answer = getattr(Client(), method)(sample.url(world))
            assert answer.status_code == 302, sample.name
            assert answer.headers["Location"].startswith("/auth/login/"), sample.name


def test_strangers_get_404_for_what_is_not_theirs(world: World) -> None:
    """A member of another kind of party finds no such portal; one of the same kind finds no such thing in its own.

    405 (this page takes no posts) is answered before anything is looked up.
    """
    seen = {}
    for sample in SAMPLES:
        portal = sample.name.partition(":")[0]
        strangers = list(OF_OTHER_KINDS[portal])
        if sample.owned and portal != "operator":
            strangers.append(OF_THE_SAME_KIND[portal])
        for stranger in strangers:
            browser = world.cast.client(stranger)
            for method in ("get", "post"):
                status = getattr(browser, method)(sample.url(world)).status_code
                if status != 404 and not (method == "post" and status == 405):
                    seen[f"{method} {sample.name} as {stranger}"] = status
    assert seen == {}


GONE = {"operator:exchange_file"}
"""Known to the session that uploaded it alone."""


def by_member() -> dict[str, list[Sample]]:
    found: dict[str, list[Sample]] = {}
    for sample in SAMPLES:
        found.setdefault(sample.seen_by, []).append(sample)
    return found
