"""Runs made from GPT-2 directories."""

import json
from dataclasses import replace

from polyctl.model.huggingface import export_gpt2, import_gpt2
from polyctl.model.serialization import load_model
from polyctl.training.import_run import import_run
from tests.model.test_huggingface import a_model, assert_same_weights


def test_an_imported_run_is_a_run_like_any_other(tmp_path):
    root, exported = tmp_path / "runs", tmp_path / "exported"
    export_gpt2(a_model(), exported)
    run = import_run(import_gpt2(exported), exported, root)
    assert run.experiment == "tiny_imported"
    summary = run.summary()
    assert (summary.state, summary.ended, summary.step) == ("finished", "imported", 7)
    loaded = load_model(run.weights(), "cpu")
    assert loaded.experiment == run.config()
    assert (loaded.step, loaded.metrics) == (7, {"valid_loss": 0.5})
    assert_same_weights(loaded.model, a_model().model)
    export_gpt2(loaded, exported / "again")
    assert import_run(import_gpt2(exported / "again"), exported, root).experiment == "tiny_imported"


def test_what_a_model_was_kept_from_only_its_own_description_says(tmp_path):
    """The experiment that a user names says how to read a model, not how it was trained."""
    made = a_model()

    def kept_from(exclude):
        data = made.experiment.data.model_copy(update={"exclude": exclude})
        return made.experiment.model_copy(update={"data": data})

    export_gpt2(replace(made, experiment=kept_from(("published/monic",))), tmp_path)
    named = kept_from(("published",))
    assert import_gpt2(tmp_path, named).experiment.data.exclude == ("published/monic",)
    config = json.loads((tmp_path / "config.json").read_text())
    del config["polyctl"]
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert import_gpt2(tmp_path, named).experiment.data.exclude == ()
