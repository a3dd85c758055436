"""What the product says when it cannot do what was asked.

One exception carries the four things a person needs: a code for programs, what was wrong, where, and what to do.
Commands print it, the API sends it as problem+json, forms show it at the field.
"""

from __future__ import annotations


class TollgateError(Exception):
    """Refused, and nothing was written. `code` is stable; `message` and `hint` are for people."""

    status = 400

    def __init__(self, code: str, message: str, *, where: str | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.where = where
        self.hint = hint

    def to_json(self) -> dict[str, str | None]:
        return {"code": self.code, "message": self.message, "where": self.where, "hint": self.hint}


class Invalid(TollgateError):
    """The request itself is wrong: a field, a value, a combination."""


class NotFound(TollgateError):
    """There is no such thing, or it is not the viewer's to see: the two sound the same on purpose."""

    status = 404


class Forbidden(TollgateError):
    """The member's role does not allow this."""

    status = 403


class Conflict(TollgateError):
    """The state of things does not allow this now (already issued, key used for something else, not enough funds)."""

    status = 409
