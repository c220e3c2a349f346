"""How fast Purser is, as ratios to what PostgreSQL itself can do beside it."""
