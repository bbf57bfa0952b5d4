"""Concurrency for a repository that is there."""
