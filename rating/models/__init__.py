"""The tables of what it costs."""

from __future__ import annotations

from rating.models.calls import Direction, RatedCall, RateTerms, RecordStatus, UsageRecord
from rating.models.carriers import Carrier, CarrierChoice, Source, SourceIdentity
from rating.models.facts import Fact
from rating.models.links import CarrierLink
from rating.models.lists import ExchangeRate, ListTerms, PriceList, PriceTerms
from rating.models.rates import Rate, RateTable
from rating.models.usage import ChunkStatus, ImportStatus, Quarantined, RecordKey, UsageChunk, UsageHalf, UsageImport

__all__ = [
    "Carrier",
    "CarrierChoice",
    "CarrierLink",
    "ChunkStatus",
    "Direction",
    "ExchangeRate",
    "Fact",
    "ImportStatus",
    "ListTerms",
    "PriceList",
    "PriceTerms",
    "Quarantined",
    "Rate",
    "RateTable",
    "RateTerms",
    "RatedCall",
    "RecordKey",
    "RecordStatus",
    "Source",
    "SourceIdentity",
    "UsageChunk",
    "UsageHalf",
    "UsageImport",
    "UsageRecord",
]
