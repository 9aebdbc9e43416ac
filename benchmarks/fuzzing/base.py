"""A folder with one of everything that polyctl reads: runs, data, reports, models of others, settings."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
from pathlib import Path

from fuzzing.files import RUN

PUBLISHED = Path(__file__).parents[2] / "tests" / "fixtures" / "published"
STAMP = RUN.rpartition("/")[2]
SMALL = " ".join(
    f"--set {setting}"
    for setting in (
        "model.layers=1",
        "model.heads=2",
        "model.width=16",
        "train.batch=2",
        "train.eval_problems=2",
    )
)


def make_base(folder: Path) -> None:
    """Make it in that folder, which is the current one afterwards."""
    folder.mkdir(parents=True)
    os.chdir(folder)
    problems = folder / "problems"
    problems.mkdir()
    for name in ("homogeneous_3_2.txt", "homogeneous_3_2.counts.tsv"):
        shutil.copy(PUBLISHED / name, problems)
    shutil.copy(PUBLISHED / "univariate_2_2.txt", problems / "some.txt")
    _run("gen smoke --workers 1")
    _run("train smoke --steps 2")
    _run("eval smoke --limit 2 --beam 2")
    _run("rl smoke --smoke --steps 1")
    _run(f"train d1_var_3_2 --steps 1 {SMALL}")
    _run("eval d1_var_3_2 --beam 2 --data problems/homogeneous_3_2.txt --no-baseline")
    _rename("smoke", "smoke")
    _run("train smoke --steps 1 --set model.architecture=gpt2")
    _rename("smoke", "gpt2")
    _run("export gpt2 hf")
    (problems / "solver.json").write_text(
        _run("eval --solver exact --limit 2 --data problems/homogeneous_3_2.txt --json")
    )
    _write_small_files(folder)
    _write_published_checkpoint(folder)


def _run(words: str) -> str:
    """What a command writes to stdout. RuntimeError if it fails."""
    from polyctl.cli.app import run

    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run(words.split())
    if code:
        raise RuntimeError(f"{words} ended with {code}\n{err.getvalue()}")
    return out.getvalue()


def _rename(experiment: str, name: str) -> None:
    """Give the newest run of an experiment the same name every time."""
    newest = max(path for path in Path("runs", experiment).iterdir() if path.name != STAMP)
    Path("runs", name).mkdir(exist_ok=True)
    newest.rename(Path("runs", name, STAMP))


def _write_small_files(folder: Path) -> None:
    writer = {"pid": 2, "began": "1", "host": os.uname().nodename, "since": 1.7e9}
    (folder / RUN / "writer.json").write_text(json.dumps(writer))
    (folder / RUN / "note.txt").write_text("a note\n")
    (folder / "runs" / ".started").mkdir()
    job = {"pid": 2, "mark": "1", "started": 1.7e9, "command": ["polyctl", "train", "smoke"]}
    (folder / "runs" / ".started" / "job.json").write_text(json.dumps(job))
    (folder / "runs" / ".started" / "job.log").write_text("started\n")
    (folder / "tui.toml").write_text('[keys]\napp.help = "f1,h"\n')
    (folder / "tui_history").write_text('"x^4 + 1"\n"x^2"\n')


def _write_published_checkpoint(folder: Path) -> None:
    """model.pt, a state dict of minGPT with the tokens of smoke, which tokens.txt lists."""
    import torch

    from polyctl.config.registry import PACKAGED, load_experiment
    from polyctl.data.tokenizers import make_tokenizer

    vocabulary = make_tokenizer(load_experiment("smoke", registry=PACKAGED).data).vocabulary
    (folder / "tokens.txt").write_text("\n".join(vocabulary) + "\n")
    width, length = 16, 64
    state = {
        "tok_emb.weight": torch.zeros(len(vocabulary), width),
        "pos_emb": torch.zeros(1, length, width),
        "head.weight": torch.zeros(len(vocabulary), width),
        "ln_f.weight": torch.ones(width),
        "ln_f.bias": torch.zeros(width),
    }
    sizes = dict.fromkeys(("attn.key", "attn.query", "attn.value", "attn.proj"), (width, width))
    for name, size in {**sizes, "mlp.0": (4 * width, width), "mlp.2": (width, 4 * width)}.items():
        state[f"blocks.0.{name}.weight"] = torch.zeros(size)
        state[f"blocks.0.{name}.bias"] = torch.zeros(size[0])
    for name in ("ln1", "ln2"):
        state[f"blocks.0.{name}.weight"], state[f"blocks.0.{name}.bias"] = (
            torch.ones(width),
            torch.zeros(width),
        )
    torch.save(state, folder / "model.pt")
