"""Everything that can be set, from arguments or from the environment (GOT_OCR_*). One frozen object; knows no default elsewhere."""

import ipaddress
import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from got_ocr.errors import InvalidValue

PREFIX = "GOT_OCR_"
LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "::1")

Names = Annotated[tuple[str, ...], NoDecode]
Positive = Annotated[int, Field(gt=0)]
Seconds = Annotated[float, Field(gt=0)]


class Settings(BaseSettings):
    """Say how to serve. Sizes in bytes, times in seconds. Lists are separated by commas."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore", hide_input_in_errors=True)

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    model: str | None = None
    revision: str | None = None
    device: str = "auto"
    dtype: str = "auto"
    engine: Literal["model", "scripted"] = "model"
    script: str = ""

    api_keys: Names = Field(default=(), repr=False)
    api_key_file: Path | None = None
    allow_anonymous: bool = False
    allowed_hosts: Names = ()
    fetch_hosts: Names = ()
    jobs_dir: Path | None = None
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    workers: Positive = 1
    queue: Annotated[int, Field(ge=0)] = 32
    per_key: Positive | None = None
    decoders: Positive = 2
    renderers: Positive = 1
    connections: Positive = 1000
    memory: Positive = 1 << 30

    max_body: Positive = 20_000_000
    max_image: Positive = 15_000_000
    max_images: Positive = 8
    max_pages: Positive = 200
    max_pixels: Positive = 50_000_000
    max_new_tokens: Annotated[int, Field(gt=0, le=32768)] = 4096
    max_jobs: Positive = 100
    jobs_bytes: Positive = 2_000_000_000
    keep_jobs: Seconds = 24 * 3600.0

    deadline: Seconds = 600.0
    drain: Seconds = 30.0
    header_seconds: Seconds = 10.0
    body_idle: Seconds = 10.0
    body_seconds: Seconds = 60.0
    write_stall: Seconds = 30.0
    keep_alive: Seconds = 5.0
    decode_seconds: Positive = 10
    decode_memory: Positive = 1536 << 20
    render_seconds: Positive = 5
    render_memory: Positive = 4 << 30

    @field_validator("api_keys", "allowed_hosts", "fetch_hosts", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _guarded(self) -> "Settings":
        if not self.loopback and not (self.api_keys or self.api_key_file or self.allow_anonymous):
            raise ValueError("beyond this machine, serving needs API keys (or --allow-anonymous)")
        return self

    @property
    def loopback(self) -> bool:
        """Say whether only this machine can reach the service."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @property
    def places(self) -> int:
        """Count the requests that may be inside at once."""
        return self.workers + self.queue

    @property
    def jobs_folder(self) -> Path:
        """Name the folder of jobs: the one asked for, else one of this user and port."""
        if self.jobs_dir is not None:
            return self.jobs_dir
        state = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
        return Path(state).expanduser() / "got-ocr" / f"jobs-{self.port}"

    def keys(self) -> tuple[str, ...]:
        """List the API keys, those of the key file (one a line) included. Raises InvalidValue."""
        if self.api_key_file is None:
            return self.api_keys
        try:
            lines = self.api_key_file.read_text("utf-8").splitlines()
        except (OSError, ValueError):
            raise InvalidValue("the file of API keys cannot be read") from None
        found = tuple(line.strip() for line in lines if line.strip() and not line.startswith("#"))
        if not found:
            raise InvalidValue("the file of API keys holds none")
        return (*self.api_keys, *found)


def load(given: dict[str, object]) -> Settings:
    """Build the settings from arguments, then the environment, then defaults. Raises InvalidValue naming what is wrong."""
    try:
        return Settings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        name = ".".join(str(part) for part in first["loc"])
        raise InvalidValue(f"setting {name or 'serve'}: {first['msg']}") from None
