"""The fast way of linear layers against the modules themselves."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from polyctl.model import onednn as fast


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(5, 16), (2, 3, 16), (1, 1, 16)])
def test_equals_the_module(bias, shape):
    module, x = nn.Linear(16, 24, bias=bias), torch.randn(shape)
    with torch.inference_mode():
        torch.testing.assert_close(fast.linear(module, x), module(x))
        exact, expected = F.gelu(module(x)), F.gelu(module(x), approximate="tanh")
        torch.testing.assert_close(fast.linear_gelu(module, x, "erf"), exact)
        torch.testing.assert_close(fast.linear_gelu(module, x, "tanh"), expected)


def test_gradients_half_precision_and_autocast_go_to_the_module(monkeypatch):
    monkeypatch.setattr(fast, "_product", lambda *_: pytest.fail("taken"))
    module, x = nn.Linear(16, 24), torch.randn(2, 16)
    fast.linear_gelu(module, x, "erf").sum().backward()
    assert module.weight.grad is not None
    with torch.no_grad():
        assert fast.linear(module.bfloat16(), x.bfloat16()).dtype == torch.bfloat16
        with torch.autocast("cpu", torch.bfloat16):
            assert fast.linear(module.float(), x).dtype == torch.bfloat16
