"""Files of banks, read: camt.053 and CSV become the same plain entries."""
