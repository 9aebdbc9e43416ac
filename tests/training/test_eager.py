"""Optimizers without torch's compiler step like torch's own, and a training never imports the compiler."""

import sys
from copy import deepcopy

import torch

from polyctl.training.eager import AdamW
from tests.processes import run_program

TRAINING = """
import sys
from copy import deepcopy
from polyctl.cli import app
assert app.run(["train", "smoke", "--steps", "1", "--device", "cpu"]) == 0
assert "torch._dynamo" not in sys.modules
"""


def stepped(kind, state=None):
    """Weights and optimizer after three steps, from a state on if there is one."""
    torch.manual_seed(0)
    model = torch.nn.Linear(3, 2)
    optimizer = kind(list(model.named_parameters()), lr=0.1, weight_decay=0.5)
    if state is not None:
        optimizer.load_state_dict(deepcopy(state))
    for _ in range(3):
        optimizer.zero_grad()
        model(torch.ones(1, 3)).square().sum().backward()
        optimizer.step()
    return model, optimizer


def test_adamw_steps_like_torchs():
    ours, optimizer = stepped(AdamW)
    theirs, peer = stepped(torch.optim.AdamW)
    state = optimizer.state_dict()
    assert state.keys() == peer.state_dict().keys()
    for pair in ((ours, theirs), (stepped(AdamW, state)[0], stepped(torch.optim.AdamW, state)[0])):
        for one, other in zip(*(model.parameters() for model in pair), strict=True):
            assert torch.equal(one, other)
            assert one.requires_grad
    assert not torch.equal(ours.weight, stepped(AdamW, state)[0].weight)


def test_a_training_does_not_import_the_compiler(tmp_path, monkeypatch):
    monkeypatch.setenv("POLYCTL_RUNS", str(tmp_path / "runs"))
    done = run_program([sys.executable, "-c", TRAINING], cwd=tmp_path)
    assert done.returncode == 0, done.stderr
