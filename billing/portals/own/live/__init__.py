"""Pages of live calls, alike in all portals: what goes on, what was asked, what is held, which switches ask."""
