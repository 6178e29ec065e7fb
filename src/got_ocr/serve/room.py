"""How much the service takes on: places for requests, and bytes that they may hold. Refuses at once, never waits.

Knows no request's content.
"""

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from got_ocr.serve.problems import BodyTooLarge, NotReady, Overloaded, RateLimited
from got_ocr.serve.wire import anonymous, read_all

LONGEST_WAIT = 60.0


class Places:
    """Count the requests that are being answered or wait for it. Create one a service; `enter` one a request."""

    def __init__(self, places: int, per_owner: int, hands: int) -> None:
        self.places = places
        self.per_owner = per_owner
        self.closed = False
        self.refused = 0
        self._hands = hands
        self._taken: Counter[str] = Counter()
        self._seconds = 1.0  # a moving mean of how long one request keeps one process

    @property
    def taken(self) -> int:
        """Count the requests inside."""
        return self._taken.total()

    def check(self, owner: str) -> None:
        """Raise Overloaded, RateLimited or NotReady if `owner` could not enter now."""
        if self.closed:
            raise NotReady("the service is shutting down", retry_after=5.0)
        if self.taken >= self.places:
            self.refused += 1
            raise Overloaded(f"all {self.places} places are taken", retry_after=self.wait())
        if self._taken[owner] >= self.per_owner:
            self.refused += 1
            raise RateLimited(f"one key holds at most {self.per_owner} places at a time", retry_after=self.wait())

    @contextmanager
    def enter(self, owner: str) -> Iterator[None]:
        """Take a place, and give it back at the end; raises as `check` does."""
        self.check(owner)
        self._taken[owner] += 1
        try:
            yield
        finally:
            self._taken[owner] -= 1
            if not self._taken[owner]:
                del self._taken[owner]

    def learn(self, seconds: float) -> None:
        """Take into account how long a reading took."""
        self._seconds += 0.2 * (seconds - self._seconds)

    def wait(self) -> float:
        """Guess when a place becomes free, in seconds."""
        return min(max(self._seconds / max(self._hands, 1), 0.5), LONGEST_WAIT)


class Vault:
    """Count the bytes that all requests hold in memory. most_each: of one request."""

    def __init__(self, most: int, most_each: int) -> None:
        self.most = most
        self.most_each = most_each
        self.held = 0

    @contextmanager
    def open(self) -> Iterator["Hold"]:
        """Hold bytes for one request, and let go of all of them at the end."""
        hold = Hold(self)
        try:
            yield hold
        finally:
            hold.close()


class Hold:
    """What one request holds: counted bytes, and anonymous files."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._files: dict[int, int] = {}
        self._counted = 0

    def take(self, size: int) -> None:
        """Count bytes; raises Overloaded where the service holds too many, BodyTooLarge where this request does."""
        if self._counted + size > self._vault.most_each:
            raise BodyTooLarge(f"one request may hold {self._vault.most_each} bytes, its decoded pictures included")
        if self._vault.held + size > self._vault.most:
            raise Overloaded("the service holds as many pictures as it may", retry_after=2.0)
        self._counted += size
        self._vault.held += size

    def give(self, size: int) -> None:
        """Count bytes as free again."""
        self._counted -= size
        self._vault.held -= size

    def file(self, data: bytes = b"", *, size: int = 0) -> int:
        """Open an anonymous file of the request, counted as `size` bytes or as what it holds."""
        counted = max(size, len(data))
        self.take(counted)
        try:
            file = anonymous(data)
        except BaseException:
            self.give(counted)
            raise
        self._files[file] = counted
        return file

    def grow(self, file: int) -> None:
        """Count a file anew by what it holds by now."""
        size = os.fstat(file).st_size
        more = size - self._files[file]
        if more > 0:
            self.take(more)
        else:
            self.give(-more)
        self._files[file] = size

    def read(self, file: int) -> bytes:
        """Read one of the files."""
        return read_all(file)

    def drop(self, file: int) -> None:
        """Close one of the files."""
        self.give(self._files.pop(file))
        os.close(file)

    def close(self) -> None:
        """Close every file and let go of everything."""
        for file in list(self._files):
            self.drop(file)
        self.give(self._counted)
