"""Prefix tokens: the published format, token by token."""

import pytest

from polyctl.data.published_format import read_line, split_line
from polyctl.data.tokenizers import make_tokenizer
from polyctl.data.tokenizers.base import variable_names
from tests.data.tokenizers.helpers import data_of_set
from tests.shared import EVERY_SET, every_source


@every_source
@pytest.mark.parametrize("name", EVERY_SET)
def test_every_line_of_a_file_survives_the_prefix_ids_byte_for_byte(source, name):
    data = data_of_set(name)
    tok = make_tokenizer(data)
    for line in source.lines(name):
        left, right = split_line(line)
        read = read_line(line, variables=variable_names(data))
        prompt, target = tok.encode_prompt(read), tok.encode_target(read)
        assert (tok.text(prompt[:-1]), tok.text(target[:-1])) == (left, right)
