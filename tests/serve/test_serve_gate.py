"""Who is let in: keys, hosts, origins; and what every answer looks like, whoever asks."""

import base64
import hmac
from pathlib import Path
from typing import Any

import httpx
import pytest
from serve_kit import check_leaks, inside, picture

from got_ocr.errors import InvalidValue
from got_ocr.serve import service as service_module
from got_ocr.serve.app import build
from got_ocr.serve.gate import OPEN
from got_ocr.serve.service import Service
from got_ocr.serve.settings import load

KEY = "a-key-of-the-test"


def routes() -> list[tuple[str, str]]:
    """List what the application itself says that it answers."""
    app = build(Service(load({"engine": "scripted", "api_keys": KEY})))
    found = []
    for route in app.routes:
        for method in getattr(route, "methods", None) or ():
            path = route.path.replace("{job}", "job_x").replace("{name:path}", "got-ocr")  # type: ignore[attr-defined]
            found.append((method, path))
    return found


def ask(folder: Path, requests: list[tuple[str, str, dict[str, str]]], **settings: Any) -> list[httpx.Response]:
    """Ask a service whose model is not even started."""

    async def scenario(client: httpx.AsyncClient, _service: Any) -> list[httpx.Response]:
        return [await client.request(method, path, headers=headers) for method, path, headers in requests]

    found: list[httpx.Response] = inside(scenario, folder, start=False, **settings)
    for answer in found:
        check_leaks(answer.content)
    return found


def test_every_route_but_the_health_checks_needs_a_key(tmp_path: Path) -> None:
    asked = routes()
    assert len(asked) > 20
    assert {path for _, path in asked} >= OPEN | {"/", "/ocr", "/v1/ocr", "/metrics", "/openapi.json", "/v1/jobs"}
    requests = [(method, path, {}) for method, path in asked] + [("GET", "/nowhere", {}), ("PATCH", "/ocr", {})]
    for (_method, path, _), answer in zip(requests, ask(tmp_path, requests, api_keys=KEY), strict=True):
        assert (answer.status_code == 401) is (path not in OPEN), path
    denied = ask(tmp_path, [("GET", "/metrics", {})], api_keys=KEY)[0].json()["error"]
    assert (denied["code"], denied["type"]) == ("unauthorized", "authentication_error")


@pytest.mark.parametrize(
    ("headers", "inside_"),
    [
        ({"authorization": f"Bearer {KEY}"}, True),
        ({"authorization": f"bearer  {KEY}"}, True),
        ({"x-api-key": KEY}, True),
        ({"authorization": "Basic " + base64.b64encode(f"anyone:{KEY}".encode()).decode()}, True),
        ({"authorization": "Bearer second"}, True),
        ({"authorization": "Bearer wrong"}, False),
        ({"authorization": f"Bearer {KEY}x"}, False),
        ({"authorization": f"Digest {KEY}"}, False),
        ({"authorization": "Basic ****"}, False),
        ({"authorization": "Basic " + base64.b64encode(KEY.encode()).decode()}, False),
        ({"x-api-key": ""}, False),
        ({}, False),
    ],
)
def test_keys(tmp_path: Path, headers: dict[str, str], inside_: bool) -> None:
    answer = ask(tmp_path, [("GET", "/metrics", headers)], api_keys=f"{KEY},second")[0]
    assert (answer.status_code == 200) is inside_


def test_no_key_and_a_wrong_one_are_answered_alike(tmp_path: Path) -> None:
    wrong = {"authorization": "Bearer wrong"}
    answers = ask(tmp_path, [("GET", "/metrics", {}), ("GET", "/metrics", wrong)], api_keys=KEY)
    bodies = [{**answer.json()["error"], "request_id": ""} for answer in answers]
    assert bodies[0] == bodies[1]
    assert [answer.headers["www-authenticate"] for answer in answers] == ["Bearer", "Bearer"]


def test_a_browser_is_asked_for_the_key(tmp_path: Path) -> None:
    answer = ask(tmp_path, [("GET", "/", {"accept": "text/html,*/*"})], api_keys=KEY)[0]
    assert answer.headers["www-authenticate"].startswith("Basic")


def test_keys_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every key is compared whether or not another fits, by a comparison of digests that never ends early."""
    compared: list[tuple[int, int]] = []
    keys = service_module.Keys(("first", "second", "third"))
    real = hmac.compare_digest

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((len(one), len(other)))
        return real(one, other)

    monkeypatch.setattr(hmac, "compare_digest", compare)
    for key in ("first", "third", "none", "", None):
        compared.clear()
        keys.owner(key)
        assert compared == [(32, 32)] * 3


def test_owners_tell_keys_apart_and_tell_nothing_of_them() -> None:
    keys = service_module.Keys(("first", "second"))
    assert keys.owner("first") != keys.owner("second")
    assert "first" not in str(keys.owner("first"))
    assert service_module.Keys(()).owner(None) == service_module.ANYONE


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8000", 200),
        ("localhost", 200),
        ("LocalHost:1234", 200),
        ("[::1]:8000", 200),
        ("example.com", 421),
        ("127.0.0.1.example.com", 421),
        ("localhost:8000@example.com", 421),
        ("localhost:999999", 421),
        ("", 421),
        ("192.168.1.1", 421),
    ],
)
def test_a_service_of_this_machine_answers_for_its_names_alone(tmp_path: Path, host: str, status: int) -> None:
    assert ask(tmp_path, [("GET", "/livez", {"host": host})])[0].status_code == status


def test_other_names_are_allowed_by_setting(tmp_path: Path) -> None:
    asked = [("GET", "/livez", {"host": "ocr.example.com"}), ("GET", "/livez", {"host": "localhost"})]
    assert [a.status_code for a in ask(tmp_path, asked, allowed_hosts="ocr.example.com")] == [200, 421]
    assert ask(tmp_path, asked, host="0.0.0.0", api_keys=KEY)[0].status_code == 200  # noqa: S104


@pytest.mark.parametrize(
    ("headers", "refused"),
    [
        ({}, False),
        ({"origin": "http://127.0.0.1:8000"}, False),
        ({"sec-fetch-site": "same-origin"}, False),
        ({"origin": "http://evil.example"}, True),
        ({"origin": "null"}, True),
        ({"origin": "http://127.0.0.1:9999"}, True),
        ({"origin": "http://[::1"}, True),
        ({"sec-fetch-site": "cross-site"}, True),
        ({"sec-fetch-site": "same-site"}, True),
    ],
)
def test_pages_of_other_sites_cannot_ask(tmp_path: Path, headers: dict[str, str], refused: bool) -> None:
    answer = ask(tmp_path, [("POST", "/v1/render", headers)])[0]
    assert (answer.status_code == 403) is refused
    assert "access-control-allow-origin" not in answer.headers


def test_headers_have_their_bounds(tmp_path: Path) -> None:
    many = {f"x-{at}": "1" for at in range(101)}
    answers = ask(tmp_path, [("GET", "/livez", many), ("GET", "/livez", {"x-large": "a" * 20000})])
    assert [answer.status_code for answer in answers] == [431, 431]
    assert {answer.headers["connection"] for answer in answers} == {"close"}


def test_what_does_not_exist_is_told_in_the_one_form(tmp_path: Path) -> None:
    asked = [
        ("GET", "/nowhere", {}),
        ("GET", "/ocr", {}),
        ("GET", "/static/../settings.py", {}),
        ("GET", "/static/", {}),
    ]
    answers = ask(tmp_path, asked)
    assert [answer.status_code for answer in answers] == [404, 405, 404, 404]
    assert answers[1].headers["allow"] == "POST"
    assert [answer.json()["error"]["code"] for answer in answers[:2]] == ["not_found", "method_not_allowed"]


def test_before_the_model_is_there_requests_are_sent_back(tmp_path: Path) -> None:
    ready, read = ask(tmp_path, [("GET", "/readyz", {}), ("POST", "/ocr", {"content-type": "application/json"})])
    for answer in (ready, read):
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "not_ready")
        assert int(answer.headers["retry-after"]) >= 1


def test_a_defect_is_answered_without_a_word_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    async def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("0x7fdeadbeef12 /home/user/secret.py")

    async def scenario(client: httpx.AsyncClient, _service: Any) -> httpx.Response:
        monkeypatch.setattr("got_ocr.serve.intake.Intake.receive", broken)
        return await client.post("/v1/render", json={"text": picture()})

    answer = inside(scenario, tmp_path, start=False)
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "internal")
    check_leaks(answer.content)


@pytest.mark.parametrize(
    "given",
    [
        {"port": 70000},
        {"workers": 0},
        {"host": "0.0.0.0"},  # noqa: S104
        {"api_key_file": Path("/nowhere/keys")},
        {"deadline": -1},
        {"engine": "magic"},
    ],
)
def test_settings_that_cannot_be_are_refused_by_name(given: dict[str, object]) -> None:
    with pytest.raises(InvalidValue):
        Service(load(given))


def test_keys_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("# ours\nfirst\n\nsecond\n")
    settings = load({"api_key_file": tmp_path / "keys", "host": "::"})
    assert settings.keys() == ("first", "second")
    (tmp_path / "keys").write_text("\n")
    with pytest.raises(InvalidValue):
        settings.keys()
