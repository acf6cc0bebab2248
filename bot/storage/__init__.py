"""Storage: one contract, one file an engine."""
