"""How many calls a party or carrier may have at once, and how many new ones in a second.

Only who has a limit has a row that calls must lock. Setting one counts the calls that go on, while nobody is let in.
"""

from __future__ import annotations

from django.db import connection
from django.utils.translation import gettext as _

from accounts.services.transactions import in_transaction
from rating.models import CallLimit, Carrier
from tiers.errors import Invalid
from tiers.models import Party
from tiers.services.writing import written_by
from tiers.viewer import Actor


def set_limits(whose: Party | Carrier, max_calls: int | None, max_per_second: int | None, *, actor: Actor) -> CallLimit:
    """Set both limits; None: no limit. Raises Invalid."""
    for name, value in (("max_calls", max_calls), ("max_per_second", max_per_second)):
        if value is not None and not 0 <= value <= 1_000_000:
            raise Invalid(name, _("A limit is a number from 0 to 1,000,000."), where=name)

    def work() -> CallLimit:
        owner = {"carrier": whose} if isinstance(whose, Carrier) else {"party": whose}
        limit, made = CallLimit.objects.get_or_create(id=whose.pk, defaults=owner)
        CallLimit.objects.filter(pk=limit.pk).update(max_calls=max_calls, max_per_second=max_per_second)
        if made:
            with connection.cursor() as cursor:
                cursor.execute("SELECT rating_live_recount(%s)", [whose.pk])
        limit.refresh_from_db()
        return limit

    with written_by(actor):
        return in_transaction(work)
