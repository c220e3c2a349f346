"""Adjustments by the file: tried, made once, undone as a whole (R94)."""
