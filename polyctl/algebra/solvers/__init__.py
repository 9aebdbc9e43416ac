"""Solvers that propose decompositions of f; each module's docstring says on what theorem it rests.

The exact ones, `Polynomial -> Outcome`, cheapest first: `univariate.univariate`, `gradient.single_inner`,
`separable.separable`, `factors.products`, `binary.binary_form`, `fields.annihilated`, `factors.factors`. Only
the first three prove anything where they find nothing; `verify` judges all candidates.
"""
