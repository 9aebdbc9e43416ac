"""Many problems at once: drawn, composed, named and written as arrays, exactly as one at a time.

`writer.BlockWriter` is what a stream uses. It cuts a block of problems into the parts of a mixture, and each
other module does one step for all problems of a part: words, draws, terms of f and digests, verdicts, frames,
bases of inner polynomials, tokens. A problem that a step cannot do is made one at a time.

Legend for arrays: R problems, M inner polynomials, O terms of the outer one, F factors of such a term,
T terms of an inner one, V variables, D monomials of a table, C those that inner polynomials have, E terms of
many polynomials one after another, U different orders of variables, K combinations of inner polynomials,
S tokens of a monomial.
"""
