"""A customer with twenty thousand calls gets its bill in bounded memory: calls are streamed, never gathered."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

MEGABYTE_KB = 1024
PROGRAM = """
import dataclasses, io, re
from pathlib import Path
import django
django.setup()
from invoicing.render.pdf import render_pdf
from tests.invoicing import papers

some = papers.calls_of(500)
context = papers.invoice(some)
many = (dataclasses.replace(call, call_id=str(i)) for i in range(40) for call in some)
data = render_pdf(context, many)
peak_kb = re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]  # not the parent's, as rusage's is
from pypdf import PdfReader
print(len(PdfReader(io.BytesIO(data)).pages), peak_kb)
"""


def test_twenty_thousand_calls_stay_under_four_hundred_megabytes() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=Path(__file__).resolve().parents[2],
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    pages, peak_kb = map(int, done.stdout.split())
    assert pages > 20_000 // 60
    assert peak_kb < 400 * MEGABYTE_KB
