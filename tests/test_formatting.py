"""Numbers, sizes and times as people read them."""

import pytest

from polyctl.formatting import (
    format_age,
    format_bytes,
    format_duration,
    format_fixed,
    format_number,
    format_percent,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (16809.2, "16,809"),
        (9999.9, "10,000"),
        (1234.5, "1234"),
        (0.5, "0.5"),
        (123456.7, "123,457"),
        (4.2e6, "4.2e6"),
        (3e-5, "3.0e-5"),
        (0.0, "0"),
        (None, "-"),
    ],
)
def test_a_number_takes_few_characters(value, text):
    assert format_number(value) == text


def test_fixed_decimals_and_shares():
    assert [format_fixed(v) for v in (0.51239, 7.0, None)] == ["0.512", "7.000", "-"]
    assert format_fixed(7.26, 1) == "7.3"
    assert [format_percent(v) for v in (0.4375, 1.0, None)] == ["43.8%", "100.0%", "-"]


def test_bytes_are_in_the_largest_unit():
    assert [format_bytes(n) for n in (0, 999, 2500, 9_300_000, 1_500_000_000, None)] == [
        "0 bytes",
        "999 bytes",
        "2.5 kB",
        "9.3 MB",
        "1.5 GB",
        "-",
    ]


def test_durations_and_ages():
    assert [format_duration(s) for s in (0.2, 89, 300, 5400, 172_800, None)] == [
        "0 s",
        "89 s",
        "5 min",
        "1.5 h",
        "2.0 days",
        "-",
    ]
    assert [format_age(when, now=1000.0) for when in (700.0, 1060.0, None)] == ["5 min", "0 s", "-"]
    assert [format_age(0.0, now=now) for now in (36_500.0, 1e6)] == ["10 h", "12 days"]
