"""Findings as people write them, to evidence and to codes: grammar, units, silence, many patients."""
