"""Numbers as dialled, made E.164, and what kind of call each is.

Why: prices hang on E.164 prefixes, while switches report what a finger pressed: access codes, trunk zeros,
extensions. A dial plan says how to read it; the facts about countries come from `phonenumbers`.
"""

from rating.numbers.number import BadNumber, Number, ServiceClass
from rating.numbers.plan import DialPlan

__all__ = ["BadNumber", "DialPlan", "Number", "ServiceClass"]
