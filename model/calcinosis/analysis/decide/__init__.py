"""Treat, test or wait: expected utility, thresholds, value of information, decision curves."""
