"""Rate cards as staff draft them, and what publishing one would change."""
