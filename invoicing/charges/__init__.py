"""Charges beside calls, as plain arithmetic: periods, parts of them, what is due and what an allowance covers.

Pure: days and amounts in, days and amounts out. No clock, no database; what is written is decided in `services/`.
"""
