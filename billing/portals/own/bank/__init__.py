"""The bank's files and what is owed by age, alike in the portals of those who sell."""
