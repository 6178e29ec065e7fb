"""Jobs: page by page, owned, cancelled, kept over restarts."""

import io
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from serve_kit import Running, Start, b64, picture, png

from got_ocr.errors import OutputError
from got_ocr.serve.jobstore import JobStore
from got_ocr.serve.problems import Overloaded


def tiff(*widths: int) -> bytes:
    out = io.BytesIO()
    first, *rest = [Image.new("RGB", (width, 40), "white") for width in widths]
    first.save(out, "TIFF", save_all=True, append_images=rest)
    return out.getvalue()


def wait(client: httpx.Client, job: str, seconds: float = 30) -> dict[str, Any]:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        told = client.get(f"/v1/jobs/{job}").json()
        if told["status"] not in ("queued", "running"):
            return dict(told)
        time.sleep(0.02)
    raise AssertionError("the job does not end")


def test_a_job_is_read_page_by_page(client: httpx.Client) -> None:
    made = client.post("/v1/jobs", json={"image": b64(tiff(90, 102, 107)), "profile": "safe"})
    assert made.status_code == 202
    job = made.json()["id"]
    assert made.headers["location"] == f"/v1/jobs/{job}"
    told = wait(client, job)
    assert (told["status"], told["pages_total"], told["pages_done"], told["pages_failed"]) == ("done", 3, 3, 1)
    result = client.get(f"/v1/jobs/{job}/result").json()
    assert [reading["status"] for reading in result["readings"]] == ["ok", "failed", "truncated"]
    assert [reading["page"] for reading in result["readings"]] == [1, 2, 3]
    assert result["truncated"] is True
    assert client.get(f"/v1/jobs/{job}/result?format=txt").text.startswith("scripted text")
    assert "<!DOCTYPE html>" in client.get(f"/v1/jobs/{job}/result?format=html").text
    assert "scripted text" in client.get(f"/v1/jobs/{job}/result?format=md").text
    assert client.get(f"/v1/jobs/{job}/result?format=exe").status_code == 400
    assert job in [entry["id"] for entry in client.get("/v1/jobs").json()["data"]]
    assert client.delete(f"/v1/jobs/{job}").status_code == 204
    assert client.get(f"/v1/jobs/{job}").status_code == 404


def test_uploads_choose_pages_and_modes(client: httpx.Client) -> None:
    made = client.post("/v1/jobs", files={"file": tiff(90, 90, 90)}, data={"pages": "2-", "mode": "format"}).json()
    wait(client, made["id"])
    readings = client.get(f"/v1/jobs/{made['id']}/result").json()["readings"]
    assert [reading["page"] for reading in readings] == [2, 3]


def test_several_pages_may_be_one_text(client: httpx.Client) -> None:
    made = client.post("/v1/jobs", json={"image": b64(tiff(90, 90)), "multi_page": True}).json()
    assert wait(client, made["id"])["pages_total"] == 1


@pytest.mark.parametrize(
    ("data", "code"), [(b"no picture", "unsupported_image_format"), (b"%PDF-1.4 broken", "pdf_corrupt")]
)
def test_a_document_that_cannot_be_read_fails_its_job(client: httpx.Client, data: bytes, code: str) -> None:
    job = client.post("/v1/jobs", json={"image": b64(data)}).json()["id"]
    told = wait(client, job)
    readings = client.get(f"/v1/jobs/{job}/result").json()["readings"]
    found = told["error"] or readings[0]["error"]
    assert found["code"] == code


def test_what_cannot_be_asked_is_refused_at_once(client: httpx.Client) -> None:
    assert client.post("/v1/jobs", json={"image": picture(), "color": "mauve"}).status_code == 400
    assert client.post("/v1/jobs", files=[("a", png()), ("b", png())]).status_code == 422
    assert client.post("/v1/jobs", json={}).status_code == 422


def test_a_running_job_is_cancelled_and_frees_the_model(client: httpx.Client) -> None:
    job = client.post("/v1/jobs", json={"image": picture(105)}).json()["id"]
    while client.get(f"/v1/jobs/{job}").json()["status"] != "running":
        time.sleep(0.01)
    assert client.get(f"/v1/jobs/{job}/result").status_code == 409
    assert client.get(f"/v1/jobs/{job}/result?partial=true").json()["readings"] == []
    assert client.post(f"/v1/jobs/{job}/cancel").json()["status"] == "cancelled"
    started = time.monotonic()
    assert client.post("/ocr", json={"image": picture()}).status_code == 200
    assert time.monotonic() - started < 2
    assert client.post(f"/v1/jobs/{job}/cancel").json()["status"] == "cancelled"


def test_those_who_wait_go_before_jobs(client: httpx.Client) -> None:
    job = client.post("/v1/jobs", json={"image": b64(tiff(*[112] * 10))}).json()["id"]
    started = time.monotonic()
    assert client.post("/ocr", json={"image": picture()}).status_code == 200
    assert time.monotonic() - started < 1.5
    assert client.get(f"/v1/jobs/{job}").json()["status"] in ("queued", "running")
    client.delete(f"/v1/jobs/{job}")


@pytest.mark.parametrize("how", [pytest.param(signal.SIGTERM, marks=pytest.mark.slow), signal.SIGKILL])
def test_a_restart_goes_on_where_it_was(start: Start, tmp_path: Path, how: int) -> None:
    """Four pages; the service ends after some of them; every page is there once, and as it would have been."""
    running = start()
    with running.client() as client:
        job = client.post("/v1/jobs", json={"image": b64(tiff(*[112] * 4)), "password": "secret"}).json()["id"]
        while client.get(f"/v1/jobs/{job}").json()["pages_done"] < 1:
            time.sleep(0.02)
    os.kill(running.process.pid, how)
    running.process.wait(30)
    again = start()
    with again.client() as client:
        told = wait(client, job)
        readings = client.get(f"/v1/jobs/{job}/result").json()["readings"]
    assert (told["status"], told["pages_done"]) == ("done", 4)
    assert [reading["page"] for reading in readings] == [1, 2, 3, 4]
    assert {reading["text"] for reading in readings} == {"brief brief brief brief"}
    again.stop()
    assert list((tmp_path / "jobs" / "inputs").iterdir()) == []
    assert b"secret" not in (tmp_path / "jobs" / "jobs.sqlite").read_bytes()


def test_jobs_belong_to_keys(start: Start) -> None:
    running = start(api_keys="first-key,second-key")
    with running.client() as client:
        job = client.post("/v1/jobs", json={"image": picture()}).json()["id"]
        wait(client, job)
        other = {"authorization": "Bearer second-key"}
        strange = [
            client.get(f"/v1/jobs/{job}", headers=other),
            client.get(f"/v1/jobs/{job}/result", headers=other),
            client.post(f"/v1/jobs/{job}/cancel", headers=other),
            client.delete(f"/v1/jobs/{job}", headers=other),
            client.get("/v1/jobs/job_" + "0" * 32),
            client.get("/v1/jobs/..%2F..%2Fetc%2Fpasswd"),
        ]
        bodies = [{**answer.json()["error"], "request_id": ""} for answer in strange]
        assert {answer.status_code for answer in strange} == {404}
        assert all(body == bodies[0] for body in bodies)
        assert client.get("/v1/jobs", headers=other).json()["data"] == []
        assert client.get(f"/v1/jobs/{job}").status_code == 200


@pytest.fixture
def store(tmp_path: Path) -> Iterator[JobStore]:
    store = JobStore(tmp_path / "store", most=2, most_bytes=100)
    yield store
    store.close()


def test_the_store_takes_so_much_and_no_more(store: JobStore) -> None:
    store.create("me", {}, b"x" * 60)
    with pytest.raises(Overloaded):
        store.create("me", {}, b"x" * 60)
    kept = store.create("me", {}, b"x")
    with pytest.raises(Overloaded):
        store.create("me", {}, b"x")
    store.finish(kept.id, "done")
    store.delete(kept.id)
    store.create("me", {}, b"x")


def test_a_result_is_kept_once(store: JobStore) -> None:
    job = store.create("me", {}, b"x")
    for text in ("first", "second"):
        store.add(job.id, 1, {"text": text, "error": None})
    assert [result["text"] for result in store.results(job.id)] == ["first"]


def test_an_ended_job_forgets_its_document(store: JobStore, tmp_path: Path) -> None:
    job = store.create("me", {"password": "secret"}, b"document")
    assert store.data(job.id) == b"document"
    assert store.finish(job.id, "failed", "pdf_corrupt", "broken")
    assert not store.finish(job.id, "done")
    found = store.get(job.id, "me")
    assert found is not None
    assert (found.status, found.code, found.ask) == ("failed", "pdf_corrupt", {})
    with pytest.raises(OutputError):
        store.data(job.id)
    assert store.sweep(time.time() + 1) == 1
    assert store.get(job.id, "me") is None


def test_a_folder_of_jobs_has_one_owner(store: JobStore, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="another service"):
        JobStore(tmp_path / "store", 2, 100)
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="writable"):
        JobStore(tmp_path / "file", 2, 100)


def test_inputs_without_a_job_are_swept(tmp_path: Path) -> None:
    (tmp_path / "s" / "inputs").mkdir(parents=True)
    for name in ("job_orphan", "job_half.tmp"):
        (tmp_path / "s" / "inputs" / name).write_bytes(b"x")
    store = JobStore(tmp_path / "s", 2, 100)
    kept = store.create("me", {}, b"x")
    store.take()
    store.close()
    store = JobStore(tmp_path / "s", 2, 100)
    assert [path.name for path in (tmp_path / "s" / "inputs").iterdir()] == [kept.id]
    found = store.get(kept.id, "me")
    assert found is not None
    assert found.status == "queued"
    store.close()


def test_jobs_without_a_folder_are_refused_at_the_start(tmp_path: Path, start: Start) -> None:
    (tmp_path / "file").write_text("x")
    running: Running = start(wait=False, jobs_dir=tmp_path / "file")
    assert running.process.wait(30) == 5
