"""Who: parties in a tree, the brands they sell under, the members who log in, and the trail of what they changed."""
