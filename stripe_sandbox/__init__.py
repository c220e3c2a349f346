"""A local stand-in for Stripe: its API, hosted checkout and signed webhooks.

It runs in its own process, keeps its own SQLite file and knows nothing of the
portal. The contract (operations, parameters, fields) is read from the types of the
installed Stripe SDK, so an upgrade of the SDK is also an upgrade of the sandbox.
Amounts are integers in the smallest currency unit; times are Unix seconds.
"""

from __future__ import annotations
