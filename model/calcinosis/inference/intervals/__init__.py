"""Credible intervals: the rows of the tables as Dirichlet distributions, sampled for one patient."""
