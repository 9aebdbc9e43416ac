"""polyctl finds hidden structure in polynomials: f = g(h1, ..., hm), proved exactly."""

__version__ = "0.1.0"
