"""Settings that spoil a run are named; the defaults are not among them."""

from polyctl.config.schema import RLConfig
from polyctl.rl.risks import risks


def test_defaults_carry_no_risk():
    for algorithm in ("bgrpo", "grpo", "boost"):
        assert risks(RLConfig(algorithm=algorithm)) == []


def test_a_large_learning_rate_is_one():
    (found,) = risks(RLConfig(lr=1e-3))
    assert "rl.lr = 0.001" in found
    assert "1e-4" in found


def test_a_beam_that_nothing_holds_is_one():
    (found,) = risks(RLConfig(kl_weight=0, weighting="reward"))
    assert "rl.kl_weight=0.02" in found
    assert len(risks(RLConfig(kl_weight=0, probability_baseline=1))) == 1
    assert risks(RLConfig(kl_weight=0)) == []
    assert risks(RLConfig(algorithm="grpo", kl_weight=0)) == []
