"""Pages that a dealer and a customer both have about themselves: members, API keys, calls as a file."""
