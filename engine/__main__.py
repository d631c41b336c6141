"""`python -m engine`: the command, without its script."""

from engine.cli import main

main()
