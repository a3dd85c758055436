"""The end user's portal: what it has, what it calls, what that costs and what it owes. Never what anybody else pays."""
