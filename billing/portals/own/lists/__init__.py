"""Pages about a price list that operator and dealer have alike; each portal names them in its own namespace."""
