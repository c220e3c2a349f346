"""Random customers living through months, to see whether the books stay right."""
