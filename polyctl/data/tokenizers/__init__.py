"""Tokenizers: how problems are written for a model, a module a vocabulary."""

from __future__ import annotations

from collections.abc import Callable

from polyctl.config.schema import DataConfig
from polyctl.data.tokenizers.base import Tokenizer
from polyctl.data.tokenizers.compact import CompactTokenizer
from polyctl.data.tokenizers.prefix import PrefixTokenizer
from polyctl.data.tokenizers.terms import TermsTokenizer

_KINDS: dict[str, Callable[[DataConfig], Tokenizer]] = {
    "prefix": PrefixTokenizer,
    "compact": CompactTokenizer,
    "terms": TermsTokenizer,
}


def make_tokenizer(data: DataConfig) -> Tokenizer:
    """The tokenizer of an experiment's data: a function of its configuration alone."""
    return _KINDS[data.tokenizer](data)
