"""What finance reads, one report a file: every figure from the ledger (R110)."""
