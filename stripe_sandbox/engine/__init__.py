"""What every resource needs: storage, time, events, keys, and one request's work."""

from __future__ import annotations
