"""The figures: each takes one result and draws it."""
