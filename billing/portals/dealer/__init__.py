"""The dealer's portal: its customers, their money and prices, what it earns. Nothing of the tiers above its seller."""
