"""Floor 3: questions asked of the posterior. Each is `f(model, ...) -> frozen result`."""
