"""When the compiled price books are stale: a row for every statement that changed what an engine reads."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models

from rating.sql import read
from rating.sql.watching import watch

READ_BY_AN_ENGINE = (
    "tiers_party",
    "tiers_placement",
    "tiers_brand",
    "rating_carrier",
    "rating_carrierchoice",
    "rating_priceterms",
    "rating_pricelist",
    "rating_listterms",
    "rating_listrule",
    "rating_destinationgroup",
    "rating_groupmembers",
    "rating_publication",
    "rating_exchangerate",
    "rating_ratetable",
)
UNDONE = """
DROP TRIGGER books_changed_ins ON accounts_wallet;
DROP TRIGGER books_changed_upd ON accounts_wallet;
DROP TRIGGER books_changed_del ON accounts_wallet;
DROP TRIGGER books_changed ON rating_rate;
DROP FUNCTION rating_books_changed();
DROP FUNCTION rating_books_changed_rows();
"""


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("rating", "0009_carriers"),
        ("accounts", "0003_corrections"),
        ("tiers", "0001_initial"),
    ]

    operations: ClassVar = [
        migrations.CreateModel(
            name="BookChange",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("changes", models.BigIntegerField(default=1)),
                ("total", models.BigIntegerField(null=True)),
                ("at", models.DateTimeField()),
            ],
        ),
        migrations.RunSQL(read("books.sql"), UNDONE),
        watch(*READ_BY_AN_ENGINE),
    ]
