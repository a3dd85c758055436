"""The usage formats, one a file. A new one is a module here and a row in `rating.usage.registry`."""
