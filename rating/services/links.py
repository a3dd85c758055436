"""One-time links to the choice of carriers, made by a seller's program for one of its customers.

The link is signed, lives for minutes, and is spent when it is opened. Opening it lets one browser see and change that
customer's choice of carriers for a while, and nothing else: it is no login.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from urllib.parse import urlsplit

from django.core.signing import BadSignature, Signer
from django.utils import timezone
from django.utils.translation import gettext as _

from rating.models import CarrierLink
from tiers.errors import Conflict, Invalid, NotFound
from tiers.models import Kind, Party
from tiers.models.party import Status
from tiers.services.writing import written_by
from tiers.viewer import Actor, Viewer

LIVES = timedelta(minutes=5)
STAYS_OPEN = timedelta(minutes=20)
LINK_ROLE = "carrier_link"
"""A role of its own in tiers.roles: it may choose the carrier, and nothing else."""
_SIGNER = Signer(salt="rating.carrier-link", sep=".")


def make_link(maker: Party, party: Party, *, actor: Actor, back: str = "") -> tuple[CarrierLink, str]:
    """A link for a customer below `maker`, and its token, which is not kept. `back`: where the page leads back to.

    Raises NotFound for anybody else's customer, Invalid for a party that is none, Conflict for one that is closed.
    """
    if not party.is_at_or_below(maker) or party.pk == maker.pk:
        raise NotFound("no_party", _("There is no such party here."), where="party")
    if party.kind != Kind.CUSTOMER:
        raise Invalid("party", _("Only an end user chooses its carrier."), where="party")
    if party.status == Status.CLOSED:
        raise Conflict("closed", _("%s is closed.") % party.name, where="party")
    _check_back(back)
    secret, now = secrets.token_urlsafe(32), timezone.now()
    with written_by(actor):
        link: CarrierLink = CarrierLink.objects.create(
            party=party,
            maker=maker,
            actor=actor.label,
            digest=_digest(secret),
            back=back,
            created_at=now,
            expires_at=now + LIVES,
        )
    return link, _SIGNER.sign(secret)


def open_link(token: str, *, address: str | None) -> CarrierLink:
    """Spend a link; from now on it is open for a while. Raises NotFound for one that is forged, used or run out."""
    try:
        digest = _digest(_SIGNER.unsign(token))
    except BadSignature:
        raise _gone() from None
    now = timezone.now()
    with written_by(Actor("carrier link")):
        link: CarrierLink | None = (
            CarrierLink.objects.select_for_update(of=("self",))
            .select_related("party", "maker")
            .filter(digest=digest, used_at__isnull=True, expires_at__gt=now)
            .first()
        )
        if link is None or link.party.status == Status.CLOSED:
            raise _gone()
        link.used_at, link.used_from, link.until = now, address, now + STAYS_OPEN
        link.save(update_fields=["used_at", "used_from", "until"])
    return link


def viewer_of_link(key: str | None) -> tuple[CarrierLink, Viewer] | None:
    """Who looks by a link that was opened in this browser; None once its time is over or the customer moved away."""
    if not key:
        return None
    found: CarrierLink | None = (
        CarrierLink.objects.select_related("party", "maker").filter(pk=key, until__gt=timezone.now()).first()
    )
    if found is None or not found.party.is_at_or_below(found.maker) or found.party.status == Status.CLOSED:
        return None
    label = _("%(party)s, by a link of %(maker)s") % {"party": found.party.code, "maker": found.maker.code}
    return found, Viewer(found.party, Actor(label), LINK_ROLE)


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _check_back(back: str) -> None:
    parts = urlsplit(back)
    if back and (parts.scheme not in {"https", "http"} or not parts.netloc or len(back) > 500):
        raise Invalid("back", _("An address begins with https://."), where="back")


def _gone() -> NotFound:
    return NotFound(
        "link_gone",
        _("This link was used already, or its time is over."),
        hint=_("Go back to where you came from and open it there again."),
    )
