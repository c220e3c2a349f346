"""Buying blocks: from the add-ons page to what was paid and is told of it."""
