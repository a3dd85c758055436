"""Alarms, their rules and the list of high-risk ranges, for whichever portal asks."""
