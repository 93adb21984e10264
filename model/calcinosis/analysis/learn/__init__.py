"""Tables that learn from patients with a known subtype, and cross-validation of that."""
