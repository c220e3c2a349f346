"""Stripe's contract, read from the types of the installed SDK."""

from __future__ import annotations
