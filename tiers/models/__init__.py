"""The tables of who."""

from __future__ import annotations

from tiers.models.brand import Brand
from tiers.models.member import ApiKey, Member
from tiers.models.party import Kind, Party, Placement, Status

__all__ = ["ApiKey", "Brand", "Kind", "Member", "Party", "Placement", "Status"]
