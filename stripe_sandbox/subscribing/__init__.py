"""Subscriptions: how they begin, change, renew and end.

Nothing here is shared with the portal: its idea of a period and a share of it is its
own, so that the two can be held against each other.
"""

from __future__ import annotations
