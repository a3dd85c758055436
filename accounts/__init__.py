"""Whose money it is: accounts, append-only transfers, holds, allocations, credit limits."""
