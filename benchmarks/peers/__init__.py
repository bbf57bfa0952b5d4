"""The competitors of benchmarks/engines.py, each in the form that a good engineer would write."""
