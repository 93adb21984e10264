"""Exact inference: the junction tree, one patient, many patients, conditioning, marginals, expected counts."""
