"""Writing samples: the same bytes whether a run was killed, packed or spread over processes."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import tarfile
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from got_ocr.data import build, cache, shards
from got_ocr.errors import InvalidValue, OutputError
from got_ocr.task import Task

LINES = '[[mix]]\nsource = "text"\nweight = 3\noptions = { lines = [1, 2], chars = [4, 20] }\n'
SEVERAL = '[[mix]]\nsource = "multipage"\noptions = { pages = [2, 2], width = [300, 300], height = [300, 300], sizes = [14, 16] }'
# A run that kills itself without a word as soon as so many samples are done.
KILLED = """
import os, signal, sys
from pathlib import Path
from got_ocr.data import build, cache, shards
from test_shards import job, query
left = int(sys.argv[3])
replace = os.replace
def counting(source, target):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    replace(source, target)
os.replace = counting
shards.write(job(Path(sys.argv[1]), sys.argv[2] == "packed"), query)
"""


def query(task: Task, size: tuple[int, int]) -> str:
    return f"{'multi ' if task.multi_page else ''}OCR {size[0]}: "


def job(out: Path, packed: bool = False, text: str = LINES, seed: int = 3) -> shards.Job:
    return shards.Job(build.parse(text, "test"), seed, 11, out, packed, part=4)


def contents(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_rows_are_those_of_the_original_with_task_and_lines_beside(tmp_path):
    shards.write(job(tmp_path / "out"), query)
    rows = [json.loads(line) for line in (tmp_path / "out/data.jsonl").read_text().splitlines()]
    recipe = build.parse(LINES, "test")
    assert len(rows) == 11
    for number, row in enumerate(rows):
        sample = build.build(recipe, 3, number)
        picture = Image.open(tmp_path / "out" / row["image"])
        assert picture.tobytes() == sample.images[0].tobytes()
        assert row["image"] == f"{number:06}.png"
        assert row["conversations"] == [
            {"from": "human", "value": f"<image>\nOCR {picture.width}: "},
            {"from": "gpt", "value": sample.target},
        ]
        assert (row["kind"], row["task"]) == ("text", {})
        assert row["lines"] == [{"text": line.text, "box": list(line.box)} for line in sample.lines]


def test_several_pictures_are_a_folder(tmp_path):
    shards.write(job(tmp_path / "out", text=SEVERAL), query)
    row = json.loads((tmp_path / "out/data.jsonl").read_text().splitlines()[5])
    assert row["image"] == "000005"
    assert row["task"] == {"multi_page": True}
    assert sorted(path.name for path in (tmp_path / "out/000005").iterdir()) == ["0.png", "1.png"]


@pytest.mark.parametrize("text", [LINES, SEVERAL])
def test_archives_hold_the_same_pictures_and_rows(tmp_path, text):
    shards.write(job(tmp_path / "loose", text=text), query)
    shards.write(job(tmp_path / "packed", packed=True, text=text), query)
    found: dict[str, bytes] = {}
    for path in sorted((tmp_path / "packed").glob("shard-*.tar")):
        with tarfile.open(path) as tar:
            for member in tar:
                assert (member.mtime, member.uid, member.uname) == (0, 0, "")
                found[member.name] = tar.extractfile(member).read()
    rows = (tmp_path / "loose/data.jsonl").read_text().splitlines()
    assert [found[f"{number:06}.json"].decode() for number in range(11)] == rows
    pictures = {
        str(p.relative_to(tmp_path / "loose")).replace("/", "."): p.read_bytes()
        for p in (tmp_path / "loose").rglob("*.png")
    }
    assert {name: data for name, data in found.items() if name.endswith(".png")} == pictures
    assert all(Image.open(BytesIO(data)).mode == "RGB" for data in pictures.values())


def test_the_manifest_says_what_the_data_was_made_from(tmp_path):
    path = shards.write(job(tmp_path / "out", packed=True), query)
    facts = json.loads(path.read_text())
    assert facts["recipe"]["mix"][0]["options"] == {"lines": [1, 2], "chars": [4, 20]}
    assert (facts["seed"], facts["count"], facts["kinds"]) == (3, 11, {"text": 11})
    assert [row["samples"] for row in facts["files"]] == [4, 4, 3]
    for row in facts["files"]:
        assert row["sha256"] == hashlib.sha256((path.parent / row["name"]).read_bytes()).hexdigest()
    assert facts["fonts"]
    assert all(len(font["sha256"]) == 64 and "licence" in font for font in facts["fonts"])
    assert all(len(text["sha256"]) == 64 and text["licence"] for text in facts["corpora"])
    assert facts["libraries"]["pillow"]


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("left", [2, 6, 9])
def test_a_killed_run_goes_on_to_the_same_bytes(tmp_path, packed, left):
    if packed:
        left = (left + 1) // 2
    shards.write(job(tmp_path / "whole", packed), query)
    code = [sys.executable, "-c", KILLED, str(tmp_path / "killed"), "packed" if packed else "loose", str(left)]
    paths = [str(Path(__file__).parent), str(Path(shards.__file__).parents[2])]
    ended = subprocess.run(code, env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)})
    assert ended.returncode == -signal.SIGKILL
    assert not (tmp_path / "killed/manifest.json").exists()
    assert list((tmp_path / "killed").rglob(f"*{cache.PARTIAL}"))
    shards.write(job(tmp_path / "killed", packed), query)
    assert contents(tmp_path / "killed") == contents(tmp_path / "whole")


def test_whole_parts_are_not_made_again(tmp_path, monkeypatch):
    out = tmp_path / "out"
    shards.write(job(out), query)
    before = contents(out)
    (out / "parts/00001.json").unlink()
    made: list[int] = []
    build_one = build.build
    monkeypatch.setattr(shards, "build", lambda *args: made.append(args[2]) or build_one(*args))
    told: list[tuple[int, int]] = []
    shards.write(job(out), query, note=lambda done, total: told.append((done, total)))
    assert made == [4, 5, 6, 7]
    assert told == [(7, 11), (11, 11)]
    assert contents(out) == before


def test_processes_write_the_same_bytes(tmp_path):
    shards.write(job(tmp_path / "one"), query)
    shards.write(job(tmp_path / "two"), query, workers=2)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_a_folder_of_another_job_is_left_alone(tmp_path):
    shards.write(job(tmp_path / "out"), query)
    before = contents(tmp_path / "out")
    with pytest.raises(InvalidValue, match="holds another job"):
        shards.write(job(tmp_path / "out", seed=4), query)
    (tmp_path / "full").mkdir()
    (tmp_path / "full/notes.txt").write_text("mine")
    with pytest.raises(InvalidValue, match="not empty"):
        shards.write(job(tmp_path / "full"), query)
    assert contents(tmp_path / "out") == before


def test_what_cannot_be_written_is_an_output_error(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match="cannot write"):
        shards.write(job(tmp_path / "file" / "out"), query)


def test_counts_are_checked(tmp_path):
    with pytest.raises(InvalidValue, match="1 or more"):
        shards.Job(build.parse(LINES, "test"), 0, 0, tmp_path)
