"""`python -m nephos`, and the `nephos` command."""

from nephos.cli.app import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
