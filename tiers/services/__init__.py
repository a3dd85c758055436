"""The writes of who: parties, brands, members, keys. Each names its actor, and the trail keeps it."""
