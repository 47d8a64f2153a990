"""Answers from an endpoint that speaks OpenAI's chat completions, asked with patience: one request, one reply.

What passes by itself is tried again, after growing waits: no connection, a broken or cut reply, a server's error, a limit on the
rate (whose own waiting time is heeded, by all requests together). What does not pass (a key that is refused, a model that is
not there, credit that is used up) ends the work at once. Redirections are not followed: questions go where they were sent to,
or nowhere. Not covered: streaming, tools, other forms of API.
"""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Self
from urllib.parse import urlsplit

from finer.errors import FinerError

PASSING = (408, 409, 425, 429)
"""Statuses below 500 that pass by themselves."""
ABOUT_THE_REQUEST = (400, 413, 422)
"""Statuses that may be about this one request, such as a prompt that is too long."""
LONGEST_WAIT_SECONDS = 60.0
LONGEST_ASKED_WAIT_SECONDS = 900.0
"""A limit that asks for longer ends the work, to be gone on with later."""
LOOPBACK = ("localhost", "127.0.0.1", "::1")


class EndpointError(FinerError):
    """An endpoint that asking again would not mend; the message says what it said and what to do."""


class NoReplyError(FinerError):
    """One request without a usable reply, after every try."""


class RefusedError(NoReplyError):
    """One request that the endpoint refuses to answer."""


@dataclass(frozen=True)
class Reply:
    """What came back for one request."""

    text: str
    reasoning: str
    """What a server hands out apart from the text, where it does."""
    tokens_in: int | None
    tokens_out: int | None
    """As the server counts them; None where it does not say."""
    is_cut: bool
    """Did it end at the limit of tokens?"""


class Endpoint:
    """``Endpoint("http://localhost:8000/v1", "my-model")``; a context manager, used from several threads.

    ``key`` is sent as a bearer token and kept out of every message. ``temperature``: None leaves it to the server.
    ``first_wait_seconds`` doubles with every try. EndpointError for an address that is none.
    """

    def __init__(
        self,
        url: str,
        model: str,
        key: str = "",
        most_tokens: int = 2048,
        temperature: float | None = None,
        seconds: float = 120.0,
        tries: int = 6,
        first_wait_seconds: float = 1.0,
    ):
        import httpx

        self.url, self.model, self.most_tokens, self.temperature = _base(url), model, most_tokens, temperature
        self.tries, self.first_wait_seconds = tries, first_wait_seconds
        self.trouble = ""
        """What went wrong last, while a request waits to be tried again; '' once one came through."""
        self._key = key
        self._limit_name = "max_tokens"
        self._not_before, self._lock, self._stopped = 0.0, threading.Lock(), threading.Event()
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._client = httpx.Client(headers=headers, timeout=httpx.Timeout(seconds, connect=min(seconds, 20.0)), follow_redirects=False,
                                    trust_env=not self.is_here, limits=httpx.Limits(max_connections=64))  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._client.close()

    @property
    def is_here(self) -> bool:
        """Is it on this machine?"""
        return urlsplit(self.url).hostname in LOOPBACK

    @property
    def sends_key_in_clear(self) -> bool:
        """Would others on the way see the key?"""
        return bool(self._key) and not self.is_here and urlsplit(self.url).scheme == "http"

    def stop(self) -> None:
        """Lets every request that waits give up at once."""
        self._stopped.set()

    def ask(self, messages: list[dict[str, str]]) -> Reply:
        """The reply to these messages.

        NoReplyError where no try brought one, RefusedError where the endpoint will not answer this request, EndpointError where it
        will not answer any.
        """
        said = ""
        for attempt in range(self.tries):
            self._wait_for_the_limit()
            if self._stopped.is_set():
                raise NoReplyError("stopped")
            outcome = self._try(messages)
            if isinstance(outcome, Reply):
                self.trouble = ""
                return outcome
            said, asked_wait = outcome
            self.trouble = said
            if attempt + 1 < self.tries:
                self._wait(attempt, asked_wait)
        raise NoReplyError(f"no reply after {self.tries} tries; the last time: {said}")

    def _try(self, messages: list[dict[str, str]]) -> Reply | tuple[str, float | None]:
        """A reply, or what went wrong this time and how long the server asks to wait (None: it does not say)."""
        import httpx

        body: dict[str, Any] = {"model": self.model, "messages": messages, self._limit_name: self.most_tokens}
        if self.temperature is not None:
            body["temperature"] = self.temperature
        try:
            response = self._client.post(self.url + "/chat/completions", json=body)
        except httpx.HTTPError as error:
            return f"{type(error).__name__}: {self._clean(str(error))}, from {self.url}", None
        if response.status_code == 200:
            return self._read(response)
        return self._fault(response)

    def _fault(self, response: Any) -> tuple[str, float | None]:
        """What an error says, where it may pass; raises where it will not."""
        status, said = response.status_code, self._said(response)
        told = f"{self.url} answers {status}: {said}"
        if status == 400 and "max_completion_tokens" in said and self._limit_name == "max_tokens":
            self._limit_name = "max_completion_tokens"  # the newer name, which some models insist on
            return told, 0.0
        if status == 429 and "insufficient_quota" in said:
            raise EndpointError(f"{told}. The credit is used up; add some, then run this again")
        if status >= 500 or status in PASSING:
            return told, self._asked_wait(response)
        if status in ABOUT_THE_REQUEST:
            raise RefusedError(told)
        raise EndpointError(f"{told}. {_mend(status, response)}")

    def _read(self, response: Any) -> Reply | tuple[str, float | None]:
        try:
            found = response.json()
            choice = found["choices"][0]
            message, usage = choice["message"], found.get("usage") or {}
            text = message.get("content") or ""
            reasoning = message.get("reasoning_content") or message.get("reasoning") or ""
            if not isinstance(text, str) or not isinstance(reasoning, str):
                raise TypeError("the content is no text")
            return Reply(text, reasoning, usage.get("prompt_tokens"), usage.get("completion_tokens"), choice.get("finish_reason") == "length")
        except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
            return f"{self.url} answers with what is no chat completion ({type(error).__name__}): {self._said(response)}", None

    def _said(self, response: Any) -> str:
        """The server's words, short and without the key."""
        return self._clean(" ".join(response.text.split())[:300]) or "(nothing)"

    def _clean(self, text: str) -> str:
        return text.replace(self._key, "***") if self._key else text

    # -- waiting

    def _asked_wait(self, response: Any) -> float | None:
        seconds = _seconds_asked(response.headers)
        if seconds is not None and seconds > LONGEST_ASKED_WAIT_SECONDS:
            raise EndpointError(f"{self.url} asks to wait {seconds / 60:.0f} minutes; run this again then")
        if response.status_code == 429 and seconds is not None:
            with self._lock:
                self._not_before = max(self._not_before, time.monotonic() + seconds)
        return seconds

    def _wait_for_the_limit(self) -> None:
        while (left := self._not_before - time.monotonic()) > 0 and not self._stopped.wait(left):
            pass

    def _wait(self, attempt: int, asked: float | None) -> None:
        longest = min(LONGEST_WAIT_SECONDS, self.first_wait_seconds * 2**attempt)
        # Not all at once again: those that failed together would fail together.
        self._stopped.wait(random.uniform(0.5, 1.0) * longest if asked is None else asked)


def _base(url: str) -> str:
    """The address without what every request adds.

    >>> _base("https://api.example.org/v1/chat/completions/")
    'https://api.example.org/v1'
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query:
        raise EndpointError(f"{url!r} is no address of an endpoint; write it as in https://api.example.org/v1 or http://localhost:8000/v1")
    if parts.username or parts.password:
        raise EndpointError("the address holds a name or password; leave it out, and put the key into an environment variable")
    return url.rstrip("/").removesuffix("/chat/completions").rstrip("/")


def _seconds_asked(headers: Any) -> float | None:
    """How long a server asks to wait, by Retry-After in seconds or as a date; None where it does not.

    >>> _seconds_asked({"retry-after": "1.5"}), _seconds_asked({"retry-after": "soon"}), _seconds_asked({})
    (1.5, None, None)
    """
    told = headers.get("retry-after")
    if told is None:
        return None
    try:
        return max(0.0, float(told))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(told).timestamp() - time.time())
    except ValueError:
        return None


def _mend(status: int, response: Any) -> str:
    """What to do about a status that does not pass."""
    if status in (401, 403):
        return "The key is missing or refused: name the environment variable that holds it with --key-env NAME"
    if status == 402:
        return "The credit is used up; add some, then run this again"
    if status in (404, 405):
        return "Check the address (it often ends in /v1) and the model's name"
    if 300 <= status < 400:
        return f"It points to {response.headers.get('location', 'another address')!r}; if that is right, give it as the endpoint"
    return "Asking again would not mend that"
