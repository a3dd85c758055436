"""Usage files in: one format, one file, one registry row.

Why: every switch writes its calls in another shape. What comes out of here is one shape, `UsageRow`, or a
`BadRow` that says what was wrong with the line; nothing here knows a database, a clock or a price.
"""
