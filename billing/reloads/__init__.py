"""Auto-reload: agreed to, decided on, charged, confirmed, told of."""
