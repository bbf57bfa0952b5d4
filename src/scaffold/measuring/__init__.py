"""The machine and the user's function, looked at and measured."""
