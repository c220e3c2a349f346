"""Accounts as staff see them: found, told in one timeline, queued for work."""
