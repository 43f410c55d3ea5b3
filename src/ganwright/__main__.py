"""`python -m ganwright`, the same as `ganwright`."""

from ganwright.cli.app import main

if __name__ == "__main__":
    main()
