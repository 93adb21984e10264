"""`python -m calcinosis`: the command line, where the command itself is not on the path."""

from calcinosis.interface.shell.app import main

if __name__ == "__main__":
    main()
