"""One module per command: a request comes in, a result goes out; no Typer, no printing."""
