"""Other findings: every single change, the fewest changes, two scenarios, the order of the work-up."""
