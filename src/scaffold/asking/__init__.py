"""The questions about the work, and where their answers come from."""
