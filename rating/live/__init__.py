"""Live calls: credit control that a switch can trust.

A switch asks before it connects a call and tells when it is answered, goes on and ends. What the call may cost is set
aside at every tier first, so that it never costs more than there is.

Modules: `terms` freezes the price of a call at all tiers, `needs` says what each wallet must set aside for how many
seconds, `asking` decides (in one round trip, by `rating/sql/live.sql`), `ending` charges what was used, `reaping`
closes calls whose end never came, `emergency` lets the calls through that nobody may stop, `switches` keeps the keys,
`controls` and `cutting` end a call at its switch. Switches speak to `door` (HTTP), `radius`, `agi` or `freeswitch`.
`reference` is the decision once more, in Python, for the tests.
"""
