"""Giving back what jobs cost during an incident, once."""
