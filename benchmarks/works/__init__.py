"""Functions on real libraries, one a module: what `benchmarks/real.py` runs.

`work` is what users bring, written as they write it; `items(folder)` returns what it is called
with, and makes the files that these name in `folder`.
"""
