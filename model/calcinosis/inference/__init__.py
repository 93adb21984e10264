"""Floor 2: from findings to probabilities. Evidence, engine, posterior, and the bridge to pgmpy."""
