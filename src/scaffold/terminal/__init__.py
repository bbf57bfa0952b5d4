"""What the user reads: the only code that prints and prompts, and the layouts it prints."""
