"""How Tollgate is run and seen: settings, Celery, portals, the API's root, the demo, the benchmarks.

Imports nothing: `billing.dev` is read before any dependency is installed. `BillingConfig.ready` loads the Celery app.
"""
