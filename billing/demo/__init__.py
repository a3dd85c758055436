"""The demo: one story, told again the same each time."""
