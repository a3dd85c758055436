"""What each role may do. One table, read by views, API and services; a test holds it against every URL."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    OWNER = "owner", _("Owner")
    FINANCE = "finance", _("Finance")
    SUPPORT = "support", _("Support")
    READER = "reader", _("Reader")


class May(models.TextChoices):
    """A right to change something. Reading what is in scope needs none."""

    PARTIES = "parties", _("create and change parties")
    MEMBERS = "members", _("invite and remove members")
    MONEY = "money", _("move money")
    PRICES = "prices", _("change prices")
    USAGE = "usage", _("bring in usage")
    INVOICES = "invoices", _("make and send invoices")
    SETTINGS = "settings", _("change brands and settings")
    CARRIER = "carrier", _("choose the carrier")
    CALLS = "calls", _("end calls")
    ACT_FOR = "act_for", _("act for a party below")


RIGHTS: dict[str, frozenset[May]] = {
    Role.OWNER: frozenset(May),
    Role.FINANCE: frozenset({May.MONEY, May.PRICES, May.INVOICES, May.CALLS, May.ACT_FOR}),
    Role.SUPPORT: frozenset({May.PARTIES, May.USAGE, May.CARRIER, May.CALLS, May.ACT_FOR}),
    Role.READER: frozenset(),
    "carrier_link": frozenset({May.CARRIER}),  # no member has it: whoever came by a one-time link (rating)
}
