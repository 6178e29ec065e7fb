"""`/ocr` and `/v1/ocr`: bodies, modes, documents, ends, streams."""

import io
import json
from typing import Any

import httpx
import pytest
from PIL import Image
from serve_kit import Running, b64, picture, png


def pdf(pages: int, size: tuple[int, int] = (200, 100)) -> bytes:
    out = io.BytesIO()
    first, *rest = [Image.new("RGB", size, "white") for _ in range(pages)]
    first.save(out, "PDF", save_all=True, append_images=rest)
    return out.getvalue()


def events(text: str) -> list[tuple[str, Any]]:
    found = []
    for block in text.strip().split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if lines:
            found.append((lines["event"], json.loads(lines["data"])))
    return found


def code(answer: httpx.Response) -> str:
    error = answer.json()["error"]
    assert set(error) == {"type", "code", "message", "param", "request_id"}
    assert error["request_id"] == answer.headers["x-request-id"]
    return str(error["code"])


def test_legacy_takes_the_body_of_public_write_ups(client: httpx.Client) -> None:
    body = {
        "image": picture(),
        "ocr_type": "ocr",
        "ocr_box": None,
        "ocr_color": None,
        "render": False,
        "save_render_file": None,
    }
    answer = client.post("/ocr", json=body)
    assert answer.status_code == 200
    assert answer.json()["text"] == "scripted text"
    assert answer.json()["notices"] == []
    assert answer.json()["html"] is None


def test_legacy_ignores_the_file_to_render_into_and_says_so(client: httpx.Client) -> None:
    answer = client.post("/ocr", json={"image": picture(), "render": True, "save_render_file": "/etc/passwd"})
    assert answer.json()["notices"] == ["ignored:save_render_file"]
    assert "scripted text" in answer.json()["html"]


def test_legacy_gives_plain_text_to_those_who_accept_only_that(client: httpx.Client) -> None:
    answer = client.post("/ocr", json={"image": picture()}, headers={"accept": "text/plain"})
    assert answer.text == "scripted text"


@pytest.mark.parametrize("box", ["1,2,30,20", "[1, 2, 30, 20]", [1, 2, 30, 20], "5,6"])
def test_legacy_takes_boxes_as_text_or_numbers(client: httpx.Client, box: object) -> None:
    assert client.post("/ocr", json={"image": picture(), "ocr_box": box}).status_code == 200


def test_uploads_read_as_json_does(client: httpx.Client) -> None:
    for path in ("/ocr", "/v1/ocr"):
        answer = client.post(path, files={"file": ("x.png", png())}, data={"pages": "1"})
        assert answer.json()["text"] == "scripted text", answer.text


def test_upload_fields_have_their_types(client: httpx.Client) -> None:
    data = {"mode": "format", "box": "1,2,30,20", "max_new_tokens": "1", "token_ids": "true", "color": ""}
    reading = client.post("/v1/ocr", files={"image": png()}, data=data).json()["readings"][0]
    assert reading["text"] == "scripted"
    assert reading["status"] == "truncated"
    assert reading["token_ids"] == [0]


def test_pages_of_a_pdf_are_read_one_by_one(client: httpx.Client) -> None:
    answer = client.post("/v1/ocr", json={"image": b64(pdf(5)), "pages": "2-3,5"}).json()
    assert [reading["page"] for reading in answer["readings"]] == [2, 3, 5]
    assert {reading["pages"] for reading in answer["readings"]} == {5}
    assert answer["text"] == "\n\n".join(["scripted text"] * 3)


def test_several_documents_are_told_apart(client: httpx.Client) -> None:
    answer = client.post("/v1/ocr", json={"images": [picture(), b64(pdf(2))]}).json()
    assert [(r["document"], r["page"]) for r in answer["readings"]] == [(1, 1), (2, 1), (2, 2)]


def test_many_pages_become_one_text_under_multi_page(client: httpx.Client) -> None:
    answer = client.post("/v1/ocr", json={"image": b64(pdf(3)), "multi_page": True}).json()
    assert len(answer["readings"]) == 1
    assert answer["readings"][0]["prompt_tokens"] == 3 * 256


def test_one_bad_page_fails_alone(client: httpx.Client) -> None:
    """A page whose reading is a defect, between two good ones."""
    out = io.BytesIO()
    pages = [Image.new("RGB", (width, 50), "white") for width in (90, 102, 90)]
    pages[0].save(out, "TIFF", save_all=True, append_images=pages[1:])
    readings = client.post("/v1/ocr", json={"image": b64(out.getvalue())}).json()["readings"]
    assert [reading["status"] for reading in readings] == ["ok", "failed", "ok"]
    assert readings[1]["error"]["code"] == "internal"
    assert readings[1]["truncated"] is True


@pytest.mark.parametrize(
    ("width", "status", "detail", "finish"),
    [
        (64, "ok", "end", "stop"),
        (106, "loop", "repetition", "length"),
        (107, "truncated", "length", "length"),
        (109, "empty", "end", "stop"),
    ],
)
def test_every_end_is_flagged(client: httpx.Client, width: int, status: str, detail: str, finish: str) -> None:
    answer = client.post("/v1/ocr", json={"image": picture(width)}).json()
    reading = answer["readings"][0]
    assert (reading["status"], reading["stop_detail"], reading["finish_reason"]) == (status, detail, finish)
    assert reading["truncated"] is answer["truncated"] is (finish == "length")
    assert reading["empty"] is (status == "empty")


def test_the_deadline_cuts_and_says_so(client: httpx.Client) -> None:
    answer = client.post("/v1/ocr", json={"image": picture(105), "deadline": 0.6})
    reading = answer.json()["readings"][0]
    assert answer.status_code == 200
    assert (reading["status"], reading["stop_detail"], reading["truncated"]) == ("deadline", "deadline", True)
    assert reading["text"].startswith("round and round")


def test_the_deadline_of_a_queued_request_is_504(client: httpx.Client) -> None:
    stream = {"image": picture(105), "stream": True, "deadline": 3}
    with client.stream("POST", "/v1/ocr", json=stream) as busy:
        lines = busy.iter_lines()
        next(lines)
        answer = client.post("/v1/ocr", json={"image": picture(), "deadline": 0.2})
    assert answer.status_code == 504
    assert code(answer) == "deadline"


@pytest.mark.parametrize(
    ("width", "status", "expected"),
    [(102, 500, "internal"), (103, 500, "internal_numeric"), (104, 503, "out_of_memory")],
)
def test_failures_of_the_model_have_codes(client: httpx.Client, width: int, status: int, expected: str) -> None:
    answer = client.post("/v1/ocr", json={"image": picture(width)})
    assert (answer.status_code, code(answer)) == (status, expected)
    assert ("retry-after" in answer.headers) is (status == 503)


def test_a_stream_is_pieces_readings_and_a_typed_end(client: httpx.Client) -> None:
    answer = client.post("/v1/ocr", json={"images": [picture(110), picture()], "stream": True})
    found = events(answer.text)
    assert [name for name, _ in found if name != "piece"] == ["begun", "reading", "reading", "end"]
    pieces = "".join(data["text"] for name, data in found if name == "piece" and data["index"] == 0)
    readings = [data for name, data in found if name == "reading"]
    assert pieces == readings[0]["text"] == "héllo wörld 你好"
    assert found[-1][1] == {"status": "ok", "truncated": False, "readings": 2}


def test_a_stream_that_fails_before_it_begins_has_the_errors_status(client: httpx.Client) -> None:
    answer = client.post("/v1/ocr", json={"image": b64(b"no picture"), "stream": True})
    assert (answer.status_code, code(answer)) == (415, "unsupported_image_format")


def test_a_stream_that_fails_midway_ends_with_its_error(client: httpx.Client) -> None:
    found = events(client.post("/v1/ocr", json={"image": picture(102), "stream": True}).text)
    assert [name for name, _ in found] == ["begun", "piece", "piece", "error"]
    assert found[-1][1]["error"]["code"] == "internal"


def test_a_stream_cut_by_the_deadline_says_so(client: httpx.Client) -> None:
    found = events(client.post("/v1/ocr", json={"image": picture(105), "stream": True, "deadline": 0.5}).text)
    assert found[-1] == ("end", {"status": "deadline", "truncated": True, "readings": 1})


def test_times_tokens_and_pages_are_counted(shared: Running) -> None:
    names = ("pages_total", "tokens_total", "first_token_seconds_count", "queue_seconds_count", "model_seconds_total")
    before = {name: shared.metric(f"got_ocr_{name}") for name in names}
    with shared.client() as client:
        client.post("/v1/ocr", json={"images": [picture(110), picture(112)], "multi_page": True})
        client.post("/v1/ocr", json={"image": picture(112)})
    grown = {name: shared.metric(f"got_ocr_{name}") - before[name] for name in names}
    assert grown.pop("model_seconds_total") >= 0.2  # four tokens of 50 ms
    assert grown == {"pages_total": 3, "tokens_total": 4 + 5, "first_token_seconds_count": 2, "queue_seconds_count": 2}


def test_unknown_fields_are_counted_not_refused(client: httpx.Client) -> None:
    answer = client.post("/v1/ocr", json={"image": picture(), "colour": "red", "x": 1})
    assert answer.status_code == 200
    assert answer.headers["x-ignored-fields"] == "2"
    assert client.post("/ocr", json={"image": picture(), "x": 1}).status_code == 422


@pytest.mark.parametrize(
    ("fields", "status", "expected"),
    [
        ({"box": [1, 2, 3]}, 400, "invalid_value"),
        ({"box": [30, 2, 3, 20]}, 400, "invalid_value"),
        ({"box": [1, 2, 30, 20], "color": "red"}, 400, "invalid_value"),
        ({"color": "purple"}, 400, "invalid_value"),
        ({"max_new_tokens": 10**6}, 400, "invalid_value"),
        ({"max_new_tokens": 5000}, 400, "invalid_value"),
        ({"max_new_tokens": True}, 422, "invalid_request"),
        ({"max_new_tokens": "7"}, 422, "invalid_request"),
        ({"deadline": -1}, 400, "invalid_value"),
        ({"pages": "one"}, 400, "invalid_value"),
        ({"pages": "7-9"}, 400, "invalid_value"),
        ({"image": None}, 422, "invalid_request"),
        ({"images": ["x"]}, 422, "invalid_request"),
        ({"images": [picture()] * 9, "image": None}, 413, "too_many_images"),
        ({"image": "****"}, 400, "invalid_base64"),
        ({"image": picture()[:-1]}, 400, "invalid_base64"),
        ({"image": "data:image/png,abc"}, 400, "invalid_data_url"),
        ({"image": "data:text/html;base64," + picture()}, 400, "invalid_data_url"),
        ({"image": "data:image/png;a=1;b=2;c=3;d=4;e=5;f=6;base64," + picture()}, 400, "invalid_data_url"),
        ({"image": "https://example.com/a.png"}, 400, "remote_images_disabled"),
        ({"image": "file:///etc/passwd"}, 400, "url_not_allowed"),
        ({"image": "s3://bucket/key"}, 400, "url_not_allowed"),
        ({"image": "/etc/passwd"}, 400, "invalid_base64"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_time(
    client: httpx.Client, fields: dict[str, object], status: int, expected: str
) -> None:
    answer = client.post("/v1/ocr", json={"image": picture(), **fields})
    assert (answer.status_code, code(answer)) == (status, expected)
    assert len(answer.content) < 4096


def test_data_urls_are_read_whatever_they_claim(client: httpx.Client) -> None:
    for head in ("data:image/png;base64,", "data:image/jpeg;charset=utf-8;base64,", "data:;base64,"):
        assert client.post("/v1/ocr", json={"image": head + picture()}).status_code == 200


def test_answers_carry_the_headers_of_a_careful_service(client: httpx.Client) -> None:
    headers = client.post("/ocr", json={"image": picture()}).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "access-control-allow-origin" not in headers
    assert "server" not in headers
