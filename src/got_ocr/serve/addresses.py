"""Which addresses may be fetched from: names on a list that lead to public places. Everything else is refused alike.

Allow-lists, not deny-lists: a host is a DNS name of letters (so no spelling of a number passes), IPv6 is the one block
that is given out to networks, less the parts of it that carry other addresses inside. Knows no socket.
"""

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from got_ocr.serve.problems import UrlNotAllowed

ANY_PUBLIC = "*"
MAX_URL = 2048
PORTS = {"http": 80, "https": 443}
_NAME = re.compile(r"(?=.{4,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])")
_PLAIN = re.compile(r"[!-\[\]-~]+")  # printable ASCII without space and backslash
_LOCAL_ENDINGS = (
    ".localhost",
    ".local",
    ".internal",
    ".intranet",
    ".lan",
    ".home",
    ".corp",
    ".private",
    ".arpa",
    ".onion",
)
_V4_CLOSED = tuple(
    ipaddress.IPv4Network(block)
    for block in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16"),
        *("192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        "168.63.129.16/32",  # public by number, but a cloud's own service on each of its machines
    )
)
_V6_OPEN = ipaddress.IPv6Network("2000::/3")
_V6_CLOSED = tuple(
    ipaddress.IPv6Network(block)
    for block in ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")
)


@dataclass(frozen=True, slots=True)
class Target:
    """An address that may be asked for, taken apart. path: with its query."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def url(self) -> str:
        """Put it together again."""
        return f"{self.scheme}://{self.host}{self.path}"


def check_url(url: str, hosts: frozenset[str]) -> Target:
    """Take an address apart. Raises UrlNotAllowed unless it is plain and its host is on the list."""
    if len(url) > MAX_URL or not _PLAIN.fullmatch(url):
        raise UrlNotAllowed
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise UrlNotAllowed from None
    scheme, host = parts.scheme.lower(), (parts.hostname or "").lower()
    if scheme not in PORTS or port not in (None, PORTS[scheme]) or "@" in parts.netloc or parts.netloc.endswith(":"):
        raise UrlNotAllowed
    if not _NAME.fullmatch(host) or host.endswith(_LOCAL_ENDINGS):
        raise UrlNotAllowed
    if host not in hosts and ANY_PUBLIC not in hosts:
        raise UrlNotAllowed
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(scheme, host, PORTS[scheme], path)


def follow(target: Target, location: str, hosts: frozenset[str]) -> Target:
    """Take apart where a redirect leads. Raises UrlNotAllowed; another scheme is none."""
    if not location or len(location) > MAX_URL or not _PLAIN.fullmatch(location):
        raise UrlNotAllowed
    try:
        joined = urljoin(target.url, location)
    except ValueError:
        raise UrlNotAllowed from None
    found = check_url(joined, hosts)
    if found.scheme != target.scheme:
        raise UrlNotAllowed
    return found


def check_addresses(addresses: list[str]) -> str:
    """Choose what to connect to: all addresses of a name must be public. Raises UrlNotAllowed."""
    if not addresses or not all(is_public(address) for address in addresses):
        raise UrlNotAllowed
    return addresses[0]


def is_public(address: str) -> bool:
    """Say whether an IP address belongs to the public network and carries no other one inside."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv4Address):
        return not any(found in block for block in _V4_CLOSED)
    return found.scope_id is None and found in _V6_OPEN and not any(found in block for block in _V6_CLOSED)
