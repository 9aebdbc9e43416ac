"""Runs made from GPT-2 directories."""

from polyctl.model.huggingface import export_gpt2
from polyctl.model.serialization import load_model
from polyctl.training.import_run import import_run
from tests.model.test_huggingface import a_model, assert_same_weights


def test_an_imported_run_is_a_run_like_any_other(tmp_path):
    root, exported = tmp_path / "runs", tmp_path / "exported"
    export_gpt2(a_model(), exported)
    run = import_run(exported, root=root)
    assert run.experiment == "tiny_imported"
    summary = run.summary()
    assert (summary.state, summary.ended, summary.step) == ("finished", "imported", 7)
    loaded = load_model(run.weights(), "cpu")
    assert loaded.experiment == run.config()
    assert (loaded.step, loaded.metrics) == (7, {"valid_loss": 0.5})
    assert_same_weights(loaded.model, a_model().model)
    export_gpt2(loaded, exported / "again")
    assert import_run(exported / "again", root=root).experiment == "tiny_imported"
