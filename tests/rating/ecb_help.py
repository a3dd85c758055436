"""The European Central Bank's files as it writes them, with what rates a story needs."""

from __future__ import annotations

import io
import zipfile
from datetime import date

Rates = dict[str, str]


def daily_xml(day: date, rates: Rates) -> bytes:
    return _envelope([(day, rates)])


def hist_xml(days: list[tuple[date, Rates]]) -> bytes:
    return _envelope(days)


def _envelope(days: list[tuple[date, Rates]]) -> bytes:
    cubes = "".join(
        f"\t\t<Cube time='{day.isoformat()}'>\n"
        + "".join(f"\t\t\t<Cube currency='{name}' rate='{rate}'/>\n" for name, rate in rates.items())
        + "\t\t</Cube>\n"
        for day, rates in days
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01"'
        ' xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">\n'
        "\t<gesmes:subject>Reference rates</gesmes:subject>\n"
        "\t<gesmes:Sender>\n\t\t<gesmes:name>European Central Bank</gesmes:name>\n\t</gesmes:Sender>\n"
        f"\t<Cube>\n{cubes}\t</Cube>\n</gesmes:Envelope>"
    ).encode()


def daily_csv(day: date, rates: Rates) -> bytes:
    """`Date, USD, ..., ` with blanks, and the day in English words."""
    head = ", ".join(["Date", *rates, ""])
    return f"{head}\n{day.day} {day:%B} {day.year}, {', '.join(rates.values())}, \n".encode()


def hist_csv(days: list[tuple[date, Rates]]) -> bytes:
    """`Date,USD,...,` and N/A where a currency had no rate."""
    names = sorted({name for _day, rates in days for name in rates})
    lines = [",".join(["Date", *names, ""])]
    lines += [",".join([day.isoformat(), *(rates.get(name, "N/A") for name in names), ""]) for day, rates in days]
    return ("\n".join(lines) + "\n").encode()


def zipped(name: str, content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return file.getvalue()
