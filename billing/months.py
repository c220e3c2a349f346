"""Months that finance has closed (R93)."""
