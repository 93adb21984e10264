"""Networks from pgmpy and from network files, and back."""
