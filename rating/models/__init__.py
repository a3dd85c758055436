"""The tables of what it costs."""

from __future__ import annotations

from rating.models.books import BookChange
from rating.models.calls import Direction, RatedCall, RateTerms, RecordStatus, UsageRecord
from rating.models.carriers import Carrier, CarrierChoice, Source, SourceIdentity
from rating.models.checks import Bar, BarKind, DaySpend, SpendLimit
from rating.models.decks import DeckFile, DeckStatus
from rating.models.facts import Fact, Grain
from rating.models.links import CarrierLink
from rating.models.lists import ExchangeRate, Follows, ListTerms, PriceList, PriceTerms
from rating.models.live import CallCut, CallLimit, LiveCall, LiveStatus, SwitchKey
from rating.models.rates import Rate, RateTable
from rating.models.reconciled import Done, Reconciled
from rating.models.rerating import RatedCorrection, RerateRun, RerateStatus
from rating.models.risk import RiskRange
from rating.models.rules import (
    DestinationGroup,
    GroupMembers,
    ListRule,
    PastRate,
    PastRow,
    Publication,
    TableVersion,
)
from rating.models.usage import ChunkStatus, ImportStatus, Quarantined, RecordKey, UsageChunk, UsageHalf, UsageImport

__all__ = [
    "Bar",
    "BarKind",
    "BookChange",
    "CallCut",
    "CallLimit",
    "Carrier",
    "CarrierChoice",
    "CarrierLink",
    "ChunkStatus",
    "DaySpend",
    "DeckFile",
    "DeckStatus",
    "DestinationGroup",
    "Direction",
    "Done",
    "ExchangeRate",
    "Fact",
    "Follows",
    "Grain",
    "GroupMembers",
    "ImportStatus",
    "ListRule",
    "ListTerms",
    "LiveCall",
    "LiveStatus",
    "PastRate",
    "PastRow",
    "PriceList",
    "PriceTerms",
    "Publication",
    "Quarantined",
    "Rate",
    "RateTable",
    "RateTerms",
    "RatedCall",
    "RatedCorrection",
    "Reconciled",
    "RecordKey",
    "RecordStatus",
    "RerateRun",
    "RerateStatus",
    "RiskRange",
    "Source",
    "SourceIdentity",
    "SpendLimit",
    "SwitchKey",
    "TableVersion",
    "UsageChunk",
    "UsageHalf",
    "UsageImport",
    "UsageRecord",
]
