"""From a call to its price at every tier: tables and lists compiled in memory, the dated tree, and the engine.

`tables` holds rates by prefix, `lists` derives and ranks them, `directory` knows who bought from whom and by which
terms at any moment, `engine` puts the three together. Nothing here writes, but for the store of frozen terms.
"""

from __future__ import annotations

from rating.pricing.directory import Directory
from rating.pricing.engine import CallFacts, Engine, PricedCall, TierPrice, Unpriced

__all__ = ["CallFacts", "Directory", "Engine", "PricedCall", "TierPrice", "Unpriced"]
