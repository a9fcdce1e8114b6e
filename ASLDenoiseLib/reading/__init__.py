"""Reading ASL series from disk."""
