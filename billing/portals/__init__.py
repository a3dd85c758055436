"""The three portals, and what they share."""
