"""Agreements as they go on: Stripe's word on them and their bills, legacy plans."""
