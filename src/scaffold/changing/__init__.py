"""A generated project later on: its record, plans, merges, and the way back."""
