"""What may be wrong between a problem and its tokens."""


class MalformedTarget(ValueError):
    """A token sequence that does not stand for a decomposition."""


class UnwritableProblem(ValueError):
    """A polynomial that the tokenizer has no tokens for: other variables, a degree too high."""


def too_many_variables(most: int) -> UnwritableProblem:
    """The error for a polynomial in other variables than the first so many."""
    return UnwritableProblem(f"more variables than the {most} that this model knows")
