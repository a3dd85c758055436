"""Exchange rate files as a bank publishes them: bytes in, dated rates out. Nothing here knows the database."""

from rating.exchange.file import DayRate, RateFile, SkippedCell, read_rate_file

__all__ = ["DayRate", "RateFile", "SkippedCell", "read_rate_file"]
