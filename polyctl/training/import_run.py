"""A run made from a model that was trained elsewhere."""

from __future__ import annotations

from pathlib import Path

from polyctl.model.serialization import LoadedModel, save_model
from polyctl.store.event_kinds import Checkpoint, End, RunStarted
from polyctl.store.events import EventWriter
from polyctl.store.runs import Run, create_run


def import_run(loaded: LoadedModel, source: Path, root: Path | None = None) -> Run:
    """A new run with a model that was read from `source` as its checkpoint; its name ends in `_imported`."""
    name = f"{loaded.experiment.name.removesuffix('_imported')}_imported"
    renamed = loaded.experiment.model_copy(update={"name": name})
    run = create_run(renamed, root)
    path = run.checkpoint("best")
    save_model(path, loaded.model, renamed, loaded.vocabulary, loaded.step, loaded.metrics)
    with EventWriter(run.events) as events:
        began = RunStarted(
            state="imported",
            step=loaded.step,
            total_steps=loaded.step,
            device="cpu",
            processes=1,
            parameters=loaded.model.parameter_count(),
            source=str(source.absolute()),
        )
        events.write(began)
        events.write(Checkpoint(step=loaded.step, which="best", path=f"checkpoints/{path.name}"))
        events.write(End(state="imported", step=loaded.step, elapsed=0.0, metrics=loaded.metrics))
    return run
