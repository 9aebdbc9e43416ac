"""Exact solvers, a method a module; each module's docstring says on what theorem it rests.

Cheapest first: `univariate.univariate`, `uni_multivariate.uni_multivariate`,
`multi_univariate.multi_univariate`,
`factors.by_factorisation`, `binary_forms.by_root_grouping`, `differential_forms.by_differential_forms` and
`factors.by_divisors`. Only the first three prove anything when they find nothing; `verify` judges all
candidates.
"""
