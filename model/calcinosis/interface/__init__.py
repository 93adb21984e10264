"""Floor 4: where people meet it. The command line, the drawings and the words around an answer."""
