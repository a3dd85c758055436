"""Pages about products beside calls that operator and dealer have alike; each portal names them in its namespace."""
