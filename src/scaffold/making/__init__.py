"""From answers to a project on disk."""
