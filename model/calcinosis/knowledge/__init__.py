"""Floor 1: what is known. The priors folder: read, checked, located, copied."""
