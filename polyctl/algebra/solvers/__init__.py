"""Exact and numeric solvers: each takes f and proposes decompositions."""
