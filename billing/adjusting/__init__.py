"""Credits up or down by staff: proposed, approved, made, reversed (R91 to R95)."""
