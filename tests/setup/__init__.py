"""How a clone sets itself up, starts and stops."""
