"""What banks say against payments, and what it does to their credits."""
