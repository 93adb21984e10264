"""Why one subtype rather than another: contributions of the findings, and the rows behind them."""
