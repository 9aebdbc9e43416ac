"""Two gloo processes give the gradients, the weights and the reports of one."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.processes import in_two_processes
from tests.rl.helpers import tiny

POOL = {"pool_candidates": 11, "pool_refresh_every": 2}
SOURCES = {"bgrpo": {"max_redraws": 2}, "grpo": POOL, "boost": POOL}

WORKER = """
import json, sys
from pathlib import Path
import torch
from polyctl.rl import trainer
from polyctl.rl.update import sum_gradients
from polyctl.store.runs import create_run
from polyctl.runtime.processes import join_processes
from tests.rl.helpers import tiny
from tests.rl.test_two_processes import SOURCES
from tests.training.helpers import Recorder

torch.set_num_threads(1)
root, start = Path(sys.argv[1]), Path(sys.argv[2])
with join_processes("cpu") as processes:
    # one process whose groups had no signal, hence no gradient: it counts as zero
    model = torch.nn.Linear(2, 1)
    if processes.main:
        model(torch.ones(1, 2)).sum().backward()
    sum_gradients(model, processes)
    assert model.weight.grad.tolist() == [[1.0, 1.0]], model.weight.grad
    for algorithm in ("bgrpo", "grpo", "boost"):
        changed = tiny(algorithm=algorithm, **SOURCES[algorithm], groups_per_step=5, solver="off")
        experiment = trainer.with_algorithm_name(changed)
        run = processes.from_main(lambda: create_run(experiment, root))
        recorder = Recorder()
        result = trainer.reinforce(experiment, run, processes, start=start, on_event=recorder)
        report = {"run": str(run.path), "steps": recorder.of("step"), "metrics": result.metrics,
                  "pools": recorder.of("pool")}
        (root / f"{algorithm}{processes.rank}.json").write_text(json.dumps(report))
"""


@pytest.mark.slow
def test_two_processes_give_the_gradients_of_one(run_rl, start, tmp_path):
    script, root = tmp_path / "worker.py", tmp_path / "two"
    script.write_text(WORKER)
    root.mkdir()
    in_two_processes(script, root, start)
    for algorithm in ("bgrpo", "grpo", "boost"):
        reports = [json.loads((root / f"{algorithm}{rank}.json").read_text()) for rank in (0, 1)]
        compare(run_rl, algorithm, *reports)


def compare(run_rl, algorithm, main, other):
    """Both processes' reports and the main one's weights against a run of one process."""
    experiment = tiny(algorithm=algorithm, **SOURCES[algorithm], groups_per_step=5, solver="off")
    single, result, recorder = run_rl(experiment)
    steps = recorder.of("step")
    assert sum(step["trained_groups"] for step in steps) > 0
    assert len(main["steps"]) == len(steps)
    for two, one in zip(main["steps"], steps, strict=True):
        for name in ("reward", "rank_score", "skipped", "trained_groups", "problems_seen", "copies", "mass"):
            assert two[name] == pytest.approx(one[name], rel=1e-6), name
        for name in ("loss", "grad_norm", "kl", "entropy", "clip_share"):
            assert two[name] == pytest.approx(one[name], rel=1e-3, abs=1e-5), name
    assert [p["kept"] for p in main["pools"]] == [p["kept"] for p in recorder.of("pool")]
    assert main["metrics"] == other["metrics"] == pytest.approx(result.metrics, rel=1e-6)
    assert (other["run"], other["steps"]) == (main["run"], [])  # only the main process reports
    name = Path("checkpoints") / "rl.safetensors"
    one, two = load_file(single.path / name), load_file(Path(main["run"]) / name)
    for key in one:
        if key.startswith("weight/"):
            torch.testing.assert_close(two[key], one[key], rtol=1e-3, atol=1e-4)
