"""Forms of the portals, by topic; the operator's and the dealer's pages share them."""
