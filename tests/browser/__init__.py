"""The portals walked in a real Chromium, as people walk them."""
