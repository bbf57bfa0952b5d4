"""One self-contained script in place of a project."""
