"""The benchmark: what it counts, how it alternates, what it writes."""

import argparse
import io
import json
import math
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from got_ocr.bench import machine, main, report, run, work
from got_ocr.bench.child import Child, Load, command
from got_ocr.bench.main import Plan
from got_ocr.bench.peer import OURS, serve
from got_ocr.bench.random_model import write_random
from got_ocr.bench.report import Report
from got_ocr.bench.run import Timing
from got_ocr.cli import bench as door
from got_ocr.errors import ChildCrashed, InvalidValue
from got_ocr.model.config import GotConfig
from got_ocr.model.weights import load_model

PEER = """
import json, sys
for line in sys.stdin:
    asked = json.loads(line)
    if "open" in asked:
        told = {"seconds": 1.0, "peak": 7, "jobs": ["a", "b"]}
    elif "run" in asked:
        told = {"seconds": 0.5, "peak": 9} if asked["run"] == "a" else {"error": "not that one"}
    else:
        told = {"ids": {"2": [1, 2]}}
    print(json.dumps(told), flush=True)
"""
HALF = work.SIZES["bfloat16"]
MACHINE = machine.Machine("a processor", 2, 2, "Linux", "2.0", 40e9, 1e12)


def test_the_work_of_the_published_sizes() -> None:
    """Counted by hand from the paper's sizes, to a percent; the encoder without its windows' padding."""
    config = GotConfig()
    assert work.encode(config, 2).flops == pytest.approx(943e9, rel=0.01)
    assert work.prefill(config, 287, HALF).flops == pytest.approx(181e9, rel=0.02)
    assert work.step(config, 1, 0, HALF).bytes == pytest.approx(928e6, rel=0.01)
    assert work.step(config, 1, 0, work.SIZES["float32"]).bytes == pytest.approx(1855e6, rel=0.01)
    assert work.step(config, 1, 0, work.SIZES["int8"]).bytes == pytest.approx(464e6, rel=0.01)
    assert work.step(config, 1, 0, work.SIZES["int4"]).bytes == pytest.approx(329e6, rel=0.01)
    cache = work.step(config, 1, 1000, HALF).bytes - work.step(config, 1, 0, HALF).bytes
    assert cache == 98_304 * 1000
    assert work.step(config, 16, 0, HALF).flops == 16 * work.step(config, 1, 0, HALF).flops


def test_the_slower_ceiling_counts() -> None:
    assert work.Work(1e12, 1.0).seconds(1e12, 1.0) == 1.0
    assert work.Work(1.0, 5.0).seconds(1e12, 1.0) == 5.0


def test_sides_alternate_and_the_first_run_does_not_count() -> None:
    order: list[str] = []

    def job(name: str, seconds: list[float]):
        def timed() -> float:
            order.append(name)
            return seconds.pop(0)

        return timed

    sides = {"a": {"x": job("a", [9.0, 1.0, 3.0, 2.0])}, "b": {"x": job("b", [9.0, 4.0, 4.0, 4.0])}}
    found = run.measure(sides, 3)
    assert "".join(order) == "abababab"
    assert found["x"]["a"].seconds == (1.0, 3.0, 2.0)
    assert (found["x"]["a"].median, found["x"]["a"].spread) == (2.0, 1.0)
    assert found["x"]["b"].spread == 0.0


def test_a_job_that_a_side_lacks_is_left_out() -> None:
    found = run.measure({"a": {"x": lambda: 1.0, "y": lambda: 1.0}, "b": {"x": lambda: 1.0}}, 1)
    assert set(found["y"]) == {"a"}


def test_agreement_counts_equal_places() -> None:
    assert run.agreement({1: [1]}, {}) is None
    assert run.agreement({1: [1, 2, 3, 4]}, {1: [1, 2, 0, 4]}) == 0.75


def made(busy: tuple[float | None, float | None] = (0.0, None), **changed: object) -> Report:
    timings = {
        "encode 1 tile": {
            "ours": Timing((1.0, 2.0, 1.5)),
            "plain": Timing((6.0, 6.0, 6.0)),
            "other": Timing((3.0,) * 3),
        },
        "decode batch 4": {"ours": Timing((0.01,) * 3), "plain": Timing((0.02,) * 3)},
        "preprocess": {"ours": Timing((0.05,) * 3)},
    }
    load = {name: Load(4.0, 2.0, 3 << 20, 5 << 20) for name in ("ours", "plain", "other")}
    whole = Report(
        MACHINE, "m", "bfloat16", "wall", 3, timings, {"encode 1 tile": 0.75}, load, busy, {"plain": 0.5, "other": None}
    )
    return replace(whole, **changed)  # type: ignore[arg-type]


def test_the_table() -> None:
    lines = report.to_markdown(made()).splitlines()
    assert "| encode 1 tile | 1.50 s | 6.00 s | 3.00 s | 67 % | 4.00x | 2.00x | 750 ms | 50 % |" in lines
    assert "| decode batch 4 | 100.0 tok/s | 50.0 tok/s |  | 0 % | 2.00x |  |  |  |" in lines
    assert "| preprocess | 50 ms |  |  | 0 % |  |  |  |  |" in lines
    wanted = "ours: model loaded in 2.0 s, 4.0 s after its process began; at most 3 MiB of memory by then, 5 MiB in the whole run."
    assert wanted in lines
    assert "Equal ids, ours and plain, each following its own: 50.00 %." in lines
    assert "other, each" not in "".join(lines)
    assert len({line.count("|") for line in lines if line.startswith("|")}) == 1
    assert "do not quote" not in "".join(lines)


def test_a_busy_machine_is_told() -> None:
    assert "do not quote" in report.to_markdown(made((0.0, 0.5)))
    assert report.to_json(made((0.3, None)))["disturbed"] is True


def test_json_holds_every_second_and_reads_back() -> None:
    data = json.loads(json.dumps(report.to_json(made())))
    assert data["timings"]["encode 1 tile"]["ours"] == {"median": 1.5, "spread": 2 / 3, "seconds": [1.0, 2.0, 1.5]}
    assert data["machine"]["bandwidth"] == 40e9
    assert report.from_json(data) == made()


@pytest.mark.parametrize("broken", [{}, {"timings": 3}, {"timings": {"a": {"b": {}}}}])
def test_other_json_is_refused(broken: dict[str, object]) -> None:
    with pytest.raises(InvalidValue, match="bench"):
        report.from_json({**report.to_json(made()), **broken} if broken else {})


def test_runs_are_joined() -> None:
    """The best ceilings and the worst disturbance stay; a job's seconds stand together."""
    faster = replace(MACHINE, bandwidth=50e9, flops=5e11)
    late = made(
        (0.2, None), machine=faster, limits={"encode 1 tile": 0.5, "page": 1.0}, agreement={"plain": 0.25},
        timings={"encode 1 tile": {"ours": Timing((9.0,))}, "page": {"ours": Timing((2.0,))}},
        load={"ours": Load(3.0, 1.0, 7 << 20, None)},
    )  # fmt: skip
    both = report.join([made(), late])
    assert both.timings["encode 1 tile"]["ours"].seconds == (1.0, 2.0, 1.5, 9.0)
    assert list(both.timings) == ["encode 1 tile", "decode batch 4", "preprocess", "page"]
    assert (both.machine.bandwidth, both.machine.flops, both.busy) == (50e9, 1e12, (0.2, None))
    assert both.limits == {"encode 1 tile": 0.5, "page": 1.0}  # of the jobs that are there
    assert both.load["ours"] == Load(3.0, 1.0, 7 << 20, 5 << 20)
    assert both.agreement == {"plain": 0.25, "other": None}
    assert list(report.join([made(), late], ["page"]).timings) == ["page"]
    with pytest.raises(InvalidValue, match="none of these"):
        report.join([made()], ["prefill"])
    with pytest.raises(InvalidValue, match="joined"):
        report.join([made(), made(dtype="float32")])


def test_peers_are_named_by_what_starts_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert command("plain") == ("plain", [sys.executable, "-m", "got_ocr.bench.peer", "plain"])
    assert command("some/where_peer.py") == ("where", [sys.executable, "some/where_peer.py"])
    assert command("/other/python some/where_peer.py x") == ("where", ["/other/python", "some/where_peer.py", "x"])
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks" / "there_peer.py").touch()
    assert command("there") == ("there", [sys.executable, str(Path("benchmarks/there_peer.py"))])
    with pytest.raises(InvalidValue):
        command("")


def test_a_peer_answers_and_ends() -> None:
    """What it prints by the way does not disturb the answers; it is asked wrongly without falling."""
    peer = [sys.executable, "-c", PEER]
    with Child("fake", peer, 1) as child:
        assert set(child.open({"folder": "f"})) == {"a", "b"}
        assert child.open({"folder": "f"})["a"]() == 0.5
        assert child.ids() == {2: [1, 2]}
        assert (child.load().seconds, child.load().most) == (1.0, 9)
        with pytest.raises(ChildCrashed, match="not that one"):
            child.open({"folder": "f"})["b"]()
    with pytest.raises(ChildCrashed, match="fake"):
        child.ids()
    with pytest.raises(InvalidValue, match="cannot be started"):
        Child("none", ["/no/such/program"], 1)


def test_questions_that_are_none() -> None:
    told = io.StringIO()
    assert serve(OURS["plain"], io.StringIO('{"run": "x"}\n{"ids": true}\n{}\n'), told) == 0
    assert all("error" in json.loads(line) for line in told.getvalue().splitlines())
    assert len(told.getvalue().splitlines()) == 3


def test_random_weights_are_the_same_for_a_seed(tmp_path: Path) -> None:
    for name, seed in (("one", 1), ("two", 1), ("three", 2)):
        write_random(tmp_path / name, "tiny", torch.float32, seed)
    one, two, three = (load_model(tmp_path / name).state_dict() for name in ("one", "two", "three"))
    assert all(torch.equal(one[key], two[key]) for key in one)
    assert not torch.equal(one["decoder.embed.weight"], three["decoder.embed.weight"])
    with pytest.raises(InvalidValue, match="580m, tiny"):
        write_random(tmp_path, "huge", torch.float32)


def test_ceilings_are_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "SWEEP", 1 << 16)
    found = machine.survey(torch.float32)
    assert found.bandwidth > 0
    assert found.flops > 0
    share = machine.busy(0.02)
    assert share is None or -0.01 <= share <= 1.01


def test_limits_name_the_jobs_they_belong_to() -> None:
    named = main.limits(Plan(batches=(1, 16)), GotConfig(), 287, MACHINE)
    assert set(named) == {"encode 1 tile", "prefill 287", "decode batch 1", "decode batch 16", "page of 100 ids"}
    assert named["decode batch 1"] == pytest.approx(0.024, rel=0.02)
    assert math.isclose(named["page of 100 ids"], named["encode 1 tile"] + named["prefill 287"] + 2.4, rel_tol=0.02)


@pytest.mark.parametrize(
    "wrong", [{"dtype": "int3"}, {"rounds": 0}, {"batches": ()}, {"batches": (0,)}, {"clock": "sun"}, {"jobs": ("x",)}]
)
def test_plans_that_cannot_be(wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidValue):
        Plan(**wrong)  # type: ignore[arg-type]


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "SWEEP", 1 << 16)
    monkeypatch.setattr(machine, "TRIES", 1)
    parser = argparse.ArgumentParser()
    door.add_parser(parser.add_subparsers())
    sizes = ["--size", "tiny", "--dtype", "float32", "--rounds", "1", "--batches", "1,3", "--page-tokens", "4"]
    args = parser.parse_args(["bench", *sizes, "--peer", "plain", "--out", str(tmp_path / "figures")])
    assert args.func(args) == 0
    printed = capsys.readouterr()
    assert (tmp_path / "figures.md").read_text() == printed.out
    data = json.loads((tmp_path / "figures.json").read_text())
    assert set(data["timings"]["decode batch 3"]) == {"got-ocr", "plain"}
    assert data["agreement"] == {"plain": 1.0}
    assert data["load"]["plain"]["start"] > data["load"]["plain"]["seconds"] > 0
    assert "prefill 35" in printed.err
    again = parser.parse_args(["bench", "--join", str(tmp_path / "figures.json"), str(tmp_path / "figures.json")])
    assert again.func(again) == 0
    assert "median of 1 rounds" in capsys.readouterr().out


def test_only_some_jobs(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "SWEEP", 1 << 16)
    monkeypatch.setattr(machine, "TRIES", 1)
    plan = Plan(size="tiny", dtype="float32", rounds=1, batches=(1,), jobs=("prefill", "decode"))
    assert list(main.bench(plan).timings) == ["prefill 35", "decode batch 1"]
