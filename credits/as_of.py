"""What a wallet was at any instant, explained to single entries."""
