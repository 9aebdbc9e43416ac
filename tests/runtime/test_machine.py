"""What the machine has."""

from polyctl.runtime import machine


def test_cores_and_memory(tmp_path, monkeypatch):
    assert machine.cores() >= 1
    monkeypatch.setattr(machine, "CGROUP_LIMIT", tmp_path / "memory.max")
    everything = machine.memory_bytes()
    assert everything > 1e8
    for text, memory in (("max\n", everything), ("1000\n", 1000), ("9223372036854771712\n", everything)):
        machine.CGROUP_LIMIT.write_text(text)
        assert machine.memory_bytes() == memory
