"""Telling a buyer, once, that a charge waits because its wallet holds too little."""

from __future__ import annotations

from django.utils import translation
from django.utils.translation import gettext as _

from invoicing.models import Subscription
from invoicing.render import formats
from invoicing.services import labels, notices


def tell_short(row: Subscription) -> bool:
    """Put the mail into the outbox; False where the buyer has no address, or was told of this charge already."""
    if not row.buyer.email or row.short_since is None:
        return False
    language = labels.language_of(row.buyer.language)
    locale = labels.locale_of(language)
    brand = row.product.brand
    with translation.override(language):
        said = {
            "product": row.product.name,
            "day": formats.format_day(row.short_since, locale),
            "amount": formats.format_amount(row.short_by, row.wallet.account.currency, locale),
            "brand": brand.name,
        }
        subject = _("%(product)s could not be charged: %(amount)s more is needed") % said
        text = _(
            "%(product)s was due on %(day)s. Your balance is too small for it: %(amount)s more is needed.\n\n"
            "It is charged as soon as your balance is enough.\n\n%(brand)s\n"
        )
        return notices.queue(
            notices.Notice(
                key=f"charge-short:{row.pk}:{row.short_since}",
                seller=row.seller,
                to=[row.buyer.email],
                subject=subject,
                text=text % said,
                sender=brand.sender,
                sender_name=brand.name,
            )
        )
