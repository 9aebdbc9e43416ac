"""Two gloo processes under torchrun train like one: same losses, same weights, one set of files."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from polyctl.runtime.processes import ALONE
from polyctl.training.supervised import train
from tests.processes import in_two_processes
from tests.training.helpers import tiny

WORKER = """
import json, sys
from polyctl.errors import FileError
from tests.training.helpers import Recorder, tiny
from polyctl.store.runs import create_run
from polyctl.training import supervised
from polyctl.runtime.processes import join_processes
from pathlib import Path

supervised.STEP_EVENT_SECONDS = 0.0
def fail():
    raise FileError("it is gone", "look elsewhere")

with join_processes("cpu") as processes:
    try:
        processes.from_main(fail)
        raise SystemExit("the main process's error did not reach this one")
    except FileError as error:
        assert (error.message, error.hint) == ("it is gone", "look elsewhere")
    experiment = tiny(dropout=0.0, accumulate=2, batch=9)
    run = processes.from_main(lambda: create_run(experiment, Path(sys.argv[1])))
    recorder = Recorder()
    result = supervised.train(experiment, run, processes, on_event=recorder)
    report = {
        "world": processes.world,
        "run": str(run.path),
        "losses": recorder.losses,
        "norms": [event["grad_norm"] for event in recorder.of("step")],
        "metrics": result.metrics,
    }
    (Path(sys.argv[1]) / f"rank{processes.rank}.json").write_text(json.dumps(report))
"""


@pytest.mark.slow
def test_two_processes_give_the_losses_and_weights_of_one(new_run, recorder, tmp_path):
    script = tmp_path / "worker.py"
    script.write_text(WORKER)
    root = tmp_path / "two"
    root.mkdir()
    in_two_processes(script, root)
    main, other = (json.loads((root / f"rank{rank}.json").read_text()) for rank in (0, 1))

    experiment = tiny(dropout=0.0, accumulate=2, batch=9)  # 9 rows: the two shares differ in size
    single = new_run(experiment)
    result = train(experiment, single, ALONE, on_event=recorder)
    assert main["world"] == 2
    assert main["losses"] == pytest.approx({str(k): v for k, v in recorder.losses.items()}, rel=1e-4)
    assert main["norms"] == pytest.approx([e["grad_norm"] for e in recorder.of("step")], rel=1e-3)
    assert main["metrics"] == other["metrics"] == pytest.approx(result.metrics, rel=1e-3)
    assert (other["run"], other["losses"]) == (main["run"], {})  # only the main process reports
    name = Path("checkpoints") / "trainer.safetensors"
    one, two = load_file(single.path / name), load_file(Path(main["run"]) / name)
    for key, value in one.items():
        if key.startswith("weight/"):
            torch.testing.assert_close(two[key], value, rtol=1e-2, atol=2e-3)
