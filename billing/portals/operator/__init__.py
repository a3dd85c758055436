"""The operator's portal: the whole tree, its prices, its usage and its books."""
