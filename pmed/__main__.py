"""``python -m pmed`` is the command line."""

from .cli import main

main()
