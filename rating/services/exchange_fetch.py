"""The European Central Bank's file of the day, fetched where the installation says so (EXCHANGE_FETCH=1).

The address is the product's own constant: nobody's data decides where the server connects to. A rate that stands
otherwise is never replaced by it; a bank that cannot be reached today is asked again in a few hours.
"""

from __future__ import annotations

from urllib.request import Request, urlopen

import structlog

from rating.exchange.file import MOST_BYTES
from rating.services.exchange_files import KEEP, RatesImport, import_rates
from tiers.viewer import SYSTEM

ADDRESS = "https://www.ecb.europa.eu/stats/eurofxref/eurofxref-daily.xml"
TIMEOUT_S = 30
log = structlog.get_logger(__name__)


def fetch_rates() -> RatesImport | None:
    """Bring today's file in; None where it could not be had. Raises Invalid for an answer that is no such file."""
    request = Request(ADDRESS, headers={"User-Agent": "Tollgate"})
    try:
        with urlopen(request, timeout=TIMEOUT_S) as answer:
            content = answer.read(MOST_BYTES + 1)
    except OSError as error:
        log.warning("exchange_rates_not_fetched", address=ADDRESS, error=str(error))
        return None
    result = import_rates(content, actor=SYSTEM, differing=KEEP)
    log.info("exchange_rates_fetched", day=result.last.isoformat(), added=result.added, kept=result.kept)
    return result
