"""Addresses that are fetched, and the many that are not (S8): no byte reaches a canary on this machine."""

import asyncio
import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from serve_kit import inside, picture, png

from got_ocr.errors import DeadlineExceeded, GotOcrError
from got_ocr.serve import fetch
from got_ocr.serve.addresses import Target, check_addresses, check_url, follow, is_public
from got_ocr.serve.fetch import Fetcher
from got_ocr.serve.problems import BodyTooLarge, UrlFetchFailed, UrlNotAllowed

PUBLIC = "93.184.216.34"
ANY = frozenset({"*"})

BLOCKED_URLS = [
    # other schemes, no scheme, no host
    "file:///etc/passwd", "ftp://example.com/a", "gopher://example.com/", "s3://bucket/key", "dict://example.com/",
    "javascript:alert(1)", "//example.com/a", "/etc/passwd", "\\\\server\\share", "http:", "http://", "http:///a",
    "https://:80/", "HTTP:example.com", "http:/example.com", "",
    # this machine by name
    "http://localhost/", "http://LOCALHOST/", "http://localhost./", "http://a.localhost/", "http://printer.local/",
    "http://metadata.google.internal/", "http://router.lan/", "http://x.home.arpa/", "http://intranet/",
    "http://example.com./", "http://x.onion/",
    # this machine and private networks by number
    "http://127.0.0.1/", "http://127.1/", "http://127.0.1/", "http://2130706433/", "http://0x7f000001/",
    "http://0x7f.0.0.1/", "http://0177.0.0.1/", "http://017700000001/", "http://0/", "http://0.0.0.0/",
    "http://127.0.0.1.nip/..", "http://10.0.0.1/", "http://172.16.0.1/", "http://192.168.0.1/",
    "http://169.254.169.254/latest/meta-data/", "http://100.100.100.200/", "http://168.63.129.16/",
    "http://224.0.0.1/", "http://255.255.255.255/", "http://8.8.8.8/",
    # IPv6 in every dress
    "http://[::1]/", "http://[::]/", "http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]/", "http://[::127.0.0.1]/",
    "http://[64:ff9b::7f00:1]/", "http://[2002:7f00:1::]/", "http://[2001:0:7f00:1::]/", "http://[fe80::1%25eth0]/",
    "http://[fc00::1]/", "http://[ff02::1]/", "http://[2606:4700::1111]/", "http://[::1/", "http://::1/",
    # letters that look like others
    "http://①②⑦.⓪.⓪.①/", "http://ｌｏｃａｌｈｏｓｔ/", "http://127。0。0。1/", "http://еxample.com/", "http://ex%61mple.com/",
    "http://example.com%00.evil.com/", "http://example.com\u200b/",
    # users, ports, other tricks of writing
    "http://user@example.com/", "http://user:pass@example.com/", "http://example.com@127.0.0.1/",
    "http://127.0.0.1#@example.com/", "http://127.0.0.1\\@example.com/", "http://example.com:8080/",
    "http://example.com:22/", "http://example.com:443/", "https://example.com:80/", "http://example.com:/",
    "http://example.com:0/", "http://example.com:99999/", "http://example.com:abc/", "http://example.com:80@evil.com/",
    "http://example.com\r\nHost: evil/", "http://example.com/a b", "http://example.com/\tx", " http://example.com/",
    "http://example.com/\x00", "http://exa\nmple.com/", "http://example.com\\@evil.com/", "http://exam_ple.com/",
    "http://-example.com/", "http://example-.com/", "http://example..com/", "http://.example.com/",
    "http://" + "a" * 64 + ".com/", "http://example.com/" + "a" * 2100, "http://example.123/", "http://1.2.3/",
]  # fmt: skip

PRIVATE = [
    "127.0.0.1", "127.255.255.254", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254",
    "100.64.0.1", "0.0.0.0", "0.1.2.3", "192.0.0.1", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1",  # noqa: S104
    "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "192.88.99.1", "168.63.129.16", "::", "::1",
    "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::7f00:1", "64:ff9b::7f00:1", "64:ff9b:1::1", "100::1", "2001::1",
    "2001:db8::1", "2002:7f00:1::", "2002:0808:0808::", "3fff::1", "5f00::1", "fc00::1", "fd12::1", "fe80::1",
    "fe80::1%eth0", "fec0::1", "ff02::1", "2606:4700::1111%eth0", "not an address", "",
]  # fmt: skip


@pytest.fixture
def canary() -> Iterator[tuple[dict[int, int], list[bytes]]]:
    """Listen on this machine, and keep whatever arrives."""
    received: list[bytes] = []
    listening = [socket.create_server(("127.0.0.1", 0))]
    if socket.has_ipv6:
        with contextlib.suppress(OSError):
            listening.append(socket.create_server(("::1", 0), family=socket.AF_INET6))

    def listen(sock: socket.socket) -> None:
        while True:
            try:
                found, _ = sock.accept()
            except OSError:
                return
            received.append(b"connected")
            found.settimeout(0.2)
            with contextlib.suppress(OSError):
                received.append(found.recv(100))
            found.close()

    for sock in listening:
        threading.Thread(target=listen, args=(sock,), daemon=True).start()
    yield {4: listening[0].getsockname()[1]}, received
    for sock in listening:
        sock.close()


class World:
    """Names, servers, and a record of every connection."""

    def __init__(self, names: dict[str, list[list[str]]], answers: dict[str, bytes], port: int) -> None:
        self.names = names
        self.answers = answers
        self.port = port
        self.connected: list[str] = []

    async def resolve(self, host: str, port: int) -> list[str]:
        answers = self.names[host]
        return answers.pop(0) if len(answers) > 1 else answers[0]

    async def connect(self, address: str, target: Target) -> fetch.Streams:
        self.connected.append(address)
        if not is_public(address):
            return await asyncio.open_connection("127.0.0.1", self.port)  # the canary
        server = await asyncio.start_server(self._serve(target), "127.0.0.1", 0)
        return await asyncio.open_connection(*server.sockets[0].getsockname()[:2])

    def _serve(self, target: Target) -> Any:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            asked = await reader.readuntil(b"\r\n\r\n")
            assert f"\r\nhost: {target.host}\r\n".encode() in asked.lower()
            assert b"cookie" not in asked.lower()
            said = self.answers[target.host + target.path]
            if said == b"slow":
                await asyncio.sleep(30)
            writer.write(said)
            await writer.drain()
            writer.close()

        return answer


def ok(data: bytes, more: str = "") -> bytes:
    return f"HTTP/1.1 200 OK\r\ncontent-length: {len(data)}\r\n{more}\r\n".encode() + data


def to(where: str, status: int = 302) -> bytes:
    return f"HTTP/1.1 {status} Found\r\nlocation: {where}\r\ncontent-length: 0\r\n\r\n".encode()


def get(world: World, url: str, hosts: tuple[str, ...] = ("*",), most: int = 10_000) -> bytes:
    return asyncio.run(Fetcher(hosts, most, world.resolve, world.connect).fetch(url))


def test_the_table_is_long_enough() -> None:
    assert len(set(BLOCKED_URLS)) + len(set(PRIVATE)) >= 80


@pytest.mark.parametrize("url", BLOCKED_URLS)
def test_addresses_that_are_never_fetched(url: str, canary: tuple[dict[int, int], list[bytes]]) -> None:
    """Even where every public host is allowed, and whatever the name would lead to."""
    ports, received = canary
    world = World({}, {}, ports[4])

    async def resolve(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    world.resolve = resolve  # type: ignore[method-assign]
    with pytest.raises(UrlNotAllowed) as caught:
        get(world, url)
    assert str(caught.value) == str(UrlNotAllowed())
    assert world.connected == []
    assert received == []


@pytest.mark.parametrize("address", PRIVATE)
def test_names_that_lead_to_private_places(address: str, canary: tuple[dict[int, int], list[bytes]]) -> None:
    """Alone, and hidden behind a public address."""
    ports, received = canary
    for addresses in ([address], [PUBLIC, address]):
        world = World({"example.com": [addresses]}, {}, ports[4])
        with pytest.raises(UrlNotAllowed):
            get(world, "http://example.com/a.png")
        assert world.connected == []
    assert not is_public(address)
    assert received == []


@pytest.mark.parametrize("address", [PUBLIC, "8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "2a00:1450:4001::1"])
def test_public_places_are_public(address: str) -> None:
    assert is_public(address)
    assert check_addresses([address]) == address


def test_no_address_at_all_is_none() -> None:
    with pytest.raises(UrlNotAllowed):
        check_addresses([])


def test_an_allowed_host_is_fetched() -> None:
    world = World({"example.com": [[PUBLIC]]}, {"example.com/a.png?x=1": ok(png())}, 0)
    assert get(world, "http://EXAMPLE.com/a.png?x=1#part", ("Example.com",)) == png()
    assert world.connected == [PUBLIC]


def test_only_hosts_on_the_list_are_fetched() -> None:
    world = World({"evil.com": [[PUBLIC]]}, {}, 0)
    for url in ("http://evil.com/", "http://example.com.evil.com/", "http://sub.example.com/"):
        with pytest.raises(UrlNotAllowed):
            get(world, url, ("example.com",))
    assert world.connected == []


@pytest.mark.parametrize(
    "where",
    [
        "http://127.0.0.1/",
        "http://localhost/",
        "//[::1]/",
        "https://example.com/",
        "file:///etc/passwd",
        "http://evil.com/",
        "http://user@example.com/",
        "http://example.com:22/",
        "",
        "http://[bad/",
        "/a\tb",
    ],
)
def test_redirects_are_judged_as_addresses_are(where: str, canary: tuple[dict[int, int], list[bytes]]) -> None:
    ports, received = canary
    world = World({"example.com": [[PUBLIC]]}, {"example.com/": to(where)}, ports[4])
    with pytest.raises(UrlNotAllowed):
        get(world, "http://example.com/", ("example.com",))
    assert received == []
    assert world.connected == [PUBLIC]


def test_a_redirect_without_a_place_is_refused() -> None:
    bare = b"HTTP/1.1 302 Found\r\ncontent-length: 0\r\n\r\n"
    with pytest.raises(UrlNotAllowed):
        get(World({"example.com": [[PUBLIC]]}, {"example.com/": bare}, 0), "http://example.com/")


def test_three_hops_are_followed_and_no_fourth() -> None:
    answers = {f"example.com/{at}": to(f"/{at + 1}", 307) for at in range(5)}
    world = World({"example.com": [[PUBLIC]]}, {**answers, "example.com/3": ok(png())}, 0)
    assert get(world, "http://example.com/0") == png()
    with pytest.raises(UrlNotAllowed):
        get(World({"example.com": [[PUBLIC]]}, answers, 0), "http://example.com/0")


def test_a_name_that_changes_its_answer_gains_nothing(canary: tuple[dict[int, int], list[bytes]]) -> None:
    """It is looked up once a hop, and the connection goes to what was checked."""
    ports, received = canary
    names = {"example.com": [[PUBLIC], ["127.0.0.1"], ["127.0.0.1"]]}
    world = World(names, {"example.com/": to("/next")}, ports[4])
    with pytest.raises(UrlNotAllowed):
        get(world, "http://example.com/")
    assert world.connected == [PUBLIC]
    assert received == []


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (ok(b"x" * 10_001), BodyTooLarge),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + b"2710\r\n" + b"x" * 10_000 + b"\r\n1\r\nx\r\n0\r\n\r\n", BodyTooLarge),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 20_000, BodyTooLarge),
        (ok(png(), "content-encoding: gzip\r\n"), UrlFetchFailed),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort", UrlFetchFailed),
        (b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n", UrlFetchFailed),
        (b"HTTP/1.1 500 Oops\r\ncontent-length: 0\r\n\r\n", UrlFetchFailed),
        (b"SSH-2.0-OpenSSH_9.2\r\n", UrlFetchFailed),
        (b"", UrlFetchFailed),
        (b"HTTP/1.1 200 OK\r\nx: " + b"y" * 40_000 + b"\r\n\r\n", UrlFetchFailed),
    ],
)  # fmt: skip
def test_answers_that_are_no_picture_to_be_had(answer: bytes, error: type[GotOcrError]) -> None:
    with pytest.raises(error):
        get(World({"example.com": [[PUBLIC]]}, {"example.com/": answer}, 0), "http://example.com/")


def test_slow_servers_are_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "SECONDS", 0.2)
    with pytest.raises(DeadlineExceeded):
        get(World({"example.com": [[PUBLIC]]}, {"example.com/": b"slow"}, 0), "http://example.com/")


@pytest.mark.parametrize("error", [ssl.SSLError("bad"), ConnectionRefusedError(), socket.gaierror(8, "no name")])
def test_what_the_network_says_is_not_repeated(error: Exception) -> None:
    world = World({"example.com": [[PUBLIC]]}, {}, 0)

    async def connect(address: str, target: Target) -> fetch.Streams:
        raise error

    world.connect = connect  # type: ignore[method-assign]
    with pytest.raises(UrlFetchFailed) as caught:
        get(world, "https://example.com/")
    assert "bad" not in str(caught.value)


def test_the_real_resolver_and_connection(canary: tuple[dict[int, int], list[bytes]]) -> None:
    async def run() -> None:
        assert "127.0.0.1" in await fetch.resolve("127.0.0.1", 80)
        ports, _ = canary
        _, writer = await fetch.connect("127.0.0.1", Target("http", "localhost", ports[4], "/"))
        writer.close()
        with pytest.raises((OSError, ssl.SSLError)):
            await fetch.connect("127.0.0.1", Target("https", "localhost", ports[4], "/"))

    asyncio.run(run())


def test_targets_are_put_together_again() -> None:
    target = check_url("https://example.com?x=1", ANY)
    assert (target.url, target.port) == ("https://example.com/?x=1", 443)
    assert follow(target, "../b", ANY).path == "/b"
    assert follow(target, "//example.org/c", ANY).host == "example.org"


def test_the_service_fetches_only_when_told_to(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World({"example.com": [[PUBLIC]]}, {"example.com/a.png": ok(png())}, 0)
    monkeypatch.setattr(Fetcher.__init__, "__defaults__", (world.resolve, world.connect))

    async def scenario(client: httpx.AsyncClient, _service: Any) -> list[httpx.Response]:
        urls = ("http://example.com/a.png", "http://169.254.169.254/", "file:///etc/passwd")
        return [await client.post("/v1/ocr", json={"images": [url, picture()]}) for url in urls]

    good, private, file = inside(scenario, tmp_path, fetch_hosts="example.com", decoders=1)
    assert good.json()["text"] == "scripted text\n\nscripted text"
    assert {private.json()["error"]["code"], file.json()["error"]["code"]} == {"url_not_allowed"}
    assert private.json()["error"]["message"] == file.json()["error"]["message"]
