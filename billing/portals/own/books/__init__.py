"""The pages for accountants, alike in the operator's and the dealers' portals."""
