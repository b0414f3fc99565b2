"""`python -m qwenport` is the command `qwenport`."""

from qwenport.cli.main import main

main()
