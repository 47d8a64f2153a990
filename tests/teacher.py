"""A teacher on loopback that speaks OpenAI's chat completions: it knows the starter's golds, and misbehaves as it is told to."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from finer.records import Question

Behaviour = Callable[[Any, dict[str, Any]], None]
"""What the server does with one request: given the handler and the request's body."""


class Teacher:
    """``behave`` is asked for each request's behaviour, by the number of the request from 0; None: a right answer."""

    def __init__(self, questions: tuple[Question, ...], behave: Callable[[int, Question], Behaviour | None]):
        self.by_text = {question.text: question for question in questions}
        self.behave = behave
        self.url = ""
        self.asked: list[int] = []
        """Indices of the questions, as they were asked."""
        self.bodies: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.times: list[float] = []
        self.lock = threading.Lock()

    def answer(self, handler: Any) -> None:
        body = json.loads(handler.rfile.read(int(handler.headers["content-length"])))
        text = body["messages"][-1]["content"].rpartition("Question: ")[2]
        question = self.by_text[text]
        with self.lock:
            number = len(self.asked)
            self.asked.append(question.index)
            self.bodies.append(body)
            self.keys.append(handler.headers["authorization"])
            self.times.append(time.monotonic())
        (self.behave(number, question) or says(right(question)))(handler, body)


def right(question: Question) -> str:
    return f"<think>\nlook at {question.db_id}\n</think>\n```sql\n{question.gold[0]};\n```"


def wrong(question: Question) -> str:
    return "<think>\none will do\n</think>\nSELECT 'nothing of the kind'"


def completion(text: str | None, finish: str = "stop", **more: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": text, **more}
    return {"choices": [{"message": message, "finish_reason": finish}], "usage": {"prompt_tokens": 100, "completion_tokens": 40}}


def sends(status: int, content: bytes, length: int | None = None, **headers: str) -> Behaviour:
    """``length``: what the server says that it sends."""

    def behave(handler: Any, body: dict[str, Any]) -> None:
        handler.send_response(status)
        for name, value in {"content-length": str(len(content) if length is None else length), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(content)
        if length is not None:
            handler.close_connection = True

    return behave


def says(text: str | None, finish: str = "stop", **more: Any) -> Behaviour:
    return sends(200, json.dumps(completion(text, finish, **more)).encode())


def fails(status: int, message: str = "overloaded", **headers: str) -> Behaviour:
    return sends(status, json.dumps({"error": {"message": message}}).encode(), **headers)


def waits(seconds: float, then: Behaviour) -> Behaviour:
    def behave(handler: Any, body: dict[str, Any]) -> None:
        time.sleep(seconds)
        then(handler, body)

    return behave


def hangs_up(handler: Any, body: dict[str, Any]) -> None:
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True


@contextmanager
def teaching(questions: tuple[Question, ...], behave: Callable[[int, Question], Behaviour | None] = lambda number, question: None):
    """A running teacher; its address is ``url``."""
    teacher = Teacher(questions, behave)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            try:
                teacher.answer(self)
            except (BrokenPipeError, ConnectionResetError, ValueError, OSError):
                self.close_connection = True  # the client has gone

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: Any) -> None:
            pass

    with Server(("127.0.0.1", 0), Handler) as server:
        teacher.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        yield teacher
        server.shutdown()
