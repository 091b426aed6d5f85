import json
import sys

import pytest
from scripts import load_script

gpu = load_script("benchmarks/gpu.py")


def run(monkeypatch, capsys, *arguments):
    monkeypatch.setattr(sys, "argv", ["gpu.py", *arguments])
    gpu.main()
    return json.loads(capsys.readouterr().out)


def test_what_was_measured_on_the_cpu_is_one_object(monkeypatch, capsys):
    result = run(monkeypatch, capsys, "--device", "cpu", "--minutes", "0.2")
    assert result["device"] == "CPU"
    assert result["preset"] == "mnist-paper"
    measured = result["limits"]["copies"]
    assert measured["pinned_to_device_gb_per_s"] > 0
    sections = {name: result[name] for name in ("limits", "acting", "updates", "policy", "critic") if name in result}
    figures = [figures for section in sections.values() for figures in section.values()]
    assert not [found for found in figures if "error" in found]
    assert all("left_out" in found or found["peak_memory_mib"] > 0 for found in figures)


def test_what_takes_too_long_is_ended_and_said_to_be_incomplete(monkeypatch, capsys):
    result = run(monkeypatch, capsys, "--device", "cpu", "--minutes", "0.002")
    assert not result["complete"]


@pytest.mark.skipif(gpu.card() != {}, reason="there is a GPU")
def test_without_a_gpu_it_fails(monkeypatch, capfd):
    with pytest.raises(SystemExit):
        run(monkeypatch, capfd, "--minutes", "0.5")
    assert "PyTorch finds no GPU here" in capfd.readouterr().err
