"""Plans: what is offered, which one an account is on, and its months."""
