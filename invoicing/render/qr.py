"""The payment code that banking apps in the euro area read: EPC069-12, a SEPA credit transfer as a QR
code.
"""

from __future__ import annotations

from decimal import Decimal

import qrcode
from qrcode.constants import ERROR_CORRECT_M

from invoicing.render import formats
from invoicing.render.context import InvoiceContext

MOST = Decimal("999999999.99")  # the standard's own bound


def epc_payload(context: InvoiceContext) -> str:
    """The text of the code, or "" where none applies: EUR, something due, a valid IBAN."""
    payment = context.payment
    iban = payment.account.replace(" ", "").upper()
    if context.currency != "EUR" or not 0 < context.due <= MOST or not is_iban(iban):
        return ""
    name = formats.tidy(payment.holder or context.seller.name, 70)
    reference = formats.tidy(payment.reference or context.number, 140)
    bic = formats.tidy(payment.bic, 11).upper()
    amount = f"EUR{formats.round_to(context.due, 2):f}"
    return "\n".join(("BCD", "002", "1", "SCT", bic, name, iban, amount, "", "", reference))


def is_iban(text: str) -> bool:
    """Whether the check digits hold (ISO 13616, modulo 97)."""
    if not (15 <= len(text) <= 34 and text.isascii() and text.isalnum() and text[:2].isalpha()):
        return False
    return int("".join(str(int(char, 36)) for char in text[4:] + text[:4])) % 97 == 1


def svg_path(payload: str) -> tuple[str, int]:
    """The code's dark cells as an SVG path, and how many cells a side has (no quiet zone)."""
    code = qrcode.QRCode(error_correction=ERROR_CORRECT_M, border=0)
    code.add_data(payload.encode())
    code.make(fit=True)
    matrix = code.get_matrix()
    steps = []
    for y, row in enumerate(matrix):
        x = 0
        while x < len(row):
            start = x
            while x < len(row) and row[x]:
                x += 1
            if x > start:
                steps.append(f"M{start} {y}h{x - start}v1h-{x - start}z")
            x += 1
    return "".join(steps), len(matrix)
