"""Deeds that need more than one app: what a portal or the API does in one step."""
