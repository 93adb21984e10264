"""Which test next, and what its results would mean."""
