"""Whatever may be sent (S10): schemathesis with its own checks, and a list of bodies of ours."""

import os
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from serve_kit import Running, Start, check_leaks, picture
from test_serve_limits import BAD_JSON

PATHS = ("/ocr", "/v1/ocr", "/v1/jobs", "/v1/render", "/v1/preview", "/v1/chat/completions")


@pytest.mark.parametrize("name", BAD_JSON)
def test_json_that_is_none_is_400_everywhere(client: httpx.Client, name: str) -> None:
    for path in PATHS:
        answer = client.post(path, content=BAD_JSON[name], headers={"content-type": "application/json"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_json"), path
        assert len(answer.content) < 1024


@pytest.mark.parametrize("body", ["[]", '"x"', "1", "null", "true", "{}"])
def test_json_of_another_shape_is_422_everywhere(client: httpx.Client, body: str) -> None:
    for path in PATHS:
        answer = client.post(path, content=body, headers={"content-type": "application/json"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "invalid_request"), path


@pytest.mark.parametrize("kind", ["", "text/plain", "application/xml", "application", "image/png", "multipart/mixed"])
def test_other_types_are_415_everywhere(client: httpx.Client, kind: str) -> None:
    for path in PATHS:
        answer = client.post(path, content=b"{}", headers={"content-type": kind} if kind else {})
        assert (answer.status_code, answer.json()["error"]["code"]) == (415, "unsupported_media_type"), path


def test_what_was_sent_is_not_sent_back(client: httpx.Client) -> None:
    """Names, values and pictures of a bad request appear nowhere in its answer, however long they are."""
    mark = "SENTINEL" * 200
    bodies = [
        {"image": mark},
        {"image": picture(), mark: 1},
        {"image": picture(), "ocr_type": mark, "mode": mark},
        {"image": {mark: mark}},
        {"image": [mark] * 50, "text": [mark], "messages": [mark], "model": mark},
        {"text": 5, "kind": mark, "to": mark},
        {"model": mark, "messages": [{"role": mark, "content": mark}]},
    ]
    for path in PATHS:
        for body in bodies:
            answer = client.post(path, json=body)
            if answer.status_code < 400:
                continue
            assert "SENTINEL" not in answer.text, path
            assert "SENTINEL" not in str(answer.headers), path
            assert len(answer.content) < 4096


def run(running: Running, folder: Path, *arguments: str) -> int:
    """Run schemathesis against a service; give how many cases it made."""
    pytest.importorskip("schemathesis", reason="schemathesis is not installed")
    here = str(Path(__file__).parent)
    env = {**os.environ, "SCHEMATHESIS_HOOKS": "schemathesis_hooks", "NO_COLOR": "1"}
    env["PYTHONPATH"] = os.pathsep.join([here, env.get("PYTHONPATH", "")])
    program = Path(sys.executable).with_name("schemathesis")
    patience = ("--request-timeout", "300", "--suppress-health-check", "all")  # a busy machine is no failure
    command = [str(program), "run", f"{running.url}/openapi.json", "--no-color", *patience, *arguments]
    found = subprocess.run(command, env=env, cwd=folder, capture_output=True, text=True, timeout=3000)
    assert found.returncode == 0, found.stdout[-8000:] + found.stderr[-2000:]
    made = re.search(r"(\d+) generated", found.stdout)
    assert made is not None
    check_leaks("".join(running.lines[1:]).encode())
    return int(made[1])


def test_schemathesis_finds_nothing(shared: Running, tmp_path: Path) -> None:
    assert (
        run(shared, tmp_path, "--max-examples", "2", "--seed", "1", "--phases", "fuzzing", "--max-failures", "3") > 20
    )


@pytest.mark.slow
def test_schemathesis_finds_nothing_in_thousands(start: Start, tmp_path: Path) -> None:
    """The systematic cases are judged without the check that every valid body is taken: a schema cannot say all that we do."""
    running = start(queue=100, max_jobs=100_000)
    made = run(running, tmp_path, "--max-examples", "120", "--seed", "7", "--phases", "fuzzing,stateful")
    made += run(running, tmp_path, "--phases", "coverage", "--exclude-checks", "positive_data_acceptance")
    print(f"{made} cases")
    assert made >= 2000
