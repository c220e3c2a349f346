"""The provable statement of a period: opening, each movement, closing."""
