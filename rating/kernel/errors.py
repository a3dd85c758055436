"""One kind of refusal for the whole kernel, so that every caller can say which field is wrong and why."""

from __future__ import annotations


class RateError(ValueError):
    """A rate, a duration or a time that cannot be priced.

    `field` is the path of what is wrong (`steps[1].price`), `message` says why in plain English,
    `hint` says what would be right (may be empty).
    """

    def __init__(self, field: str, message: str, hint: str = "") -> None:
        super().__init__(f"{field}: {message}" if field else message)
        self.field = field
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[type[RateError], tuple[str, str, str]]:
        return type(self), (self.field, self.message, self.hint)

    def under(self, parent: str) -> RateError:
        """The same refusal seen from outside: `price` under `steps[1]` is `steps[1].price`."""
        if not self.field:
            return RateError(parent, self.message, self.hint)
        joint = "" if self.field.startswith("[") else "."
        return RateError(f"{parent}{joint}{self.field}", self.message, self.hint)
