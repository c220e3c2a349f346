"""Invoices: drafted from lines, finalized, collected, retried."""

from __future__ import annotations
