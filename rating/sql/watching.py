"""For migrations: tables on which prices depend, watched so that compiled books are known to be stale."""

from __future__ import annotations

from django.db.migrations import RunSQL

_EVENTS = (("ins", "INSERT", "NEW"), ("upd", "UPDATE", "NEW"), ("del", "DELETE", "OLD"))


def watch(*tables: str) -> RunSQL:
    """The operation that lets every change to these tables be seen by `rating.pricing.current.current_engine`.

    A later migration that adds a table which an Engine reads says so with it.
    """
    made = (
        f"CREATE TRIGGER books_changed_{name} AFTER {event} ON {table} REFERENCING {rows} TABLE AS changed"
        " FOR EACH STATEMENT EXECUTE FUNCTION rating_books_changed_rows();"
        for table in tables
        for name, event, rows in _EVENTS
    )
    undone = (f"DROP TRIGGER books_changed_{name} ON {table};" for table in tables for name, _event, _rows in _EVENTS)
    return RunSQL("\n".join(made), "\n".join(undone))
