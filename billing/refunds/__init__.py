"""Money that goes back, and what is owed for credits that were used before."""
