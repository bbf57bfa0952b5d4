"""`python -m scaffold` is `concgen`."""

from scaffold.cli import main

main()
