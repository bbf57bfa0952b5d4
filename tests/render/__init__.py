"""Rendering: names, destinations, and the projects that come out."""
