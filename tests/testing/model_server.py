"""A loopback server that speaks Anthropic's Messages and OpenAI's Chat Completions, and does what its script says.

A script is a list of steps; every question takes the first step left whose `when` fits it (a step without one fits
all), and a question for which none is left gets status 500. A step is an object, so that a script may be a file:

    {"do": "answer", "content": {...}}          the content as JSON text; "tool": NAME sends it as a tool's input
    {"do": "answer", "text": "..."}             any text; "stop": "done" | "length" | "refusal"
    {"do": "cut", "content": {...}, "keep": 3}  the stream ends after so many events; "rude": true without a last chunk
    {"do": "fail", "status": 429, "kind": "rate_limit_error", "message": "...", "retry_after": 2, "location": URL}
    {"do": "break", "kind": "overloaded_error", "status": 529}   an error event in the middle of the stream
    {"do": "html"}  {"do": "garbage"}           a proxy's page; a stream whose data is no JSON
    {"do": "hang"}  {"do": "stall"}             nothing at all; nothing more after the first events
    {"do": "obey", "content": {...}}            what a line "OBEY: {...}" in the prompt wants, else the content

Further keys of any step: "when": {"form": NAME, "prompt": TEXT}, "times": N (default 1, 0 for ever), "slow_ms" between
the events, "usage": {"input", "output", "cache_read", "cache_write"}, "whole": true to ignore that a stream was asked,
"unless": NAME fails with status 400 as long as the request has that parameter, and does the step once it has not.

    with serving([{"do": "answer", "content": {"n": 1}}]) as server:
        ... Anthropic(base_url=server.url) or OpenAI(base_url=server.url + "/v1") ...
        server.requests[0].body

Alone: `python -m tests.testing.model_server --script FILE --port-file F [--log F]`, until it is ended.
"""

from __future__ import annotations

import argparse
import json
import select
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.testing import model_wire as wire

Step = Mapping[str, Any]
_PAGE = b"<!DOCTYPE html><html><body><h1>Sign in to the corporate proxy</h1></body></html>"
_PATHS = {"/v1/messages": wire.ANTHROPIC, "/v1/chat/completions": wire.OPENAI}
_USAGE = {"input": 100, "output": 20}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request as it came; header names in small letters."""

    number: int
    path: str
    headers: Mapping[str, str]
    body: Mapping[str, Any]

    @property
    def api(self) -> str:
        """Whose API was spoken."""
        return _PATHS.get(self.path, "")

    @property
    def form(self) -> str:
        """The name of the form that was asked for, "" if the request does not say."""
        asked = self.body.get("response_format") or {}
        schema = (self.body.get("output_config") or {}).get("format", {}).get("schema", {})
        return str((asked.get("json_schema") or {}).get("name") or schema.get("title") or "")

    @property
    def prompt(self) -> str:
        """All text that was sent, in order."""
        blocks = [self.body.get("system", [])]
        blocks += [message["content"] for message in self.body.get("messages", [])]
        return "\n".join(
            block if isinstance(block, str) else "\n".join(str(one.get("text", "")) for one in block)
            for block in blocks
        )


@dataclass
class ModelServer:
    """What a running server has seen, and the steps it has left."""

    url: str = ""
    steps: list[dict[str, Any]] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    hung_up: threading.Event = field(default_factory=threading.Event)
    stopped: threading.Event = field(default_factory=threading.Event)
    tokens: Callable[[Request], int | None] = field(default=lambda request: len(request.prompt) // 4)
    models: tuple[str, ...] = ("served-1",)
    lifecycle: str = "active"
    looks: int = 0
    log: Path | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def asked(self) -> list[Request]:
        """The questions, without requests that only count tokens."""
        return [one for one in self.requests if one.api]

    def add(self, *steps: Step) -> None:
        """Append to the script."""
        self.steps += [dict(step) for step in steps]

    def note(self, path: str, headers: Mapping[str, str], body: Mapping[str, Any]) -> Request:
        """Remember a request, before anything is answered."""
        with self._lock:
            request = Request(number=len(self.requests) + 1, path=path, headers=headers, body=body)
            self.requests.append(request)
            if self.log is not None:
                line = {"path": path, "form": request.form, "headers": dict(headers), "body": body}
                with self.log.open("a") as log:
                    log.write(json.dumps(line) + "\n")
        return request

    def step_for(self, request: Request) -> Step:
        """Take the step the script has for this question."""
        with self._lock:
            for position, step in enumerate(self.steps):
                if not _fits(step.get("when", {}), request):
                    continue
                if step.get("unless") and step["unless"] in request.body:
                    return {"do": "fail", "status": 400, "message": f"{step['unless']}: not supported here"}
                left = step.get("times", 1)
                if left == 1:
                    del self.steps[position]
                elif left:
                    step["times"] = left - 1
                return step
        return {"do": "fail", "status": 500, "message": "the script has no step for this question"}


@contextmanager
def serving(steps: Sequence[Step] = (), *, port: int = 0) -> Iterator[ModelServer]:
    """A server on 127.0.0.1 for as long as the block lasts."""
    server = ModelServer()
    server.add(*steps)
    http = _Http(("127.0.0.1", port), _Handler)
    http.model_server = server
    server.url = f"http://127.0.0.1:{http.server_address[1]}"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.stopped.set()
        http.shutdown()
        http.server_close()
        thread.join()


def _fits(when: Mapping[str, str], request: Request) -> bool:
    return when.get("form", request.form) == request.form and when.get("prompt", "") in request.prompt


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    model_server: ModelServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that is gone is no news: scripts cut, cancels hang up."""


class _Handler(BaseHTTPRequestHandler):
    server: _Http
    protocol_version = "HTTP/1.0"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
        """Stay silent."""

    def do_GET(self) -> None:
        seen = self.server.model_server
        seen.looks += 1
        served = [{"id": name, "object": "model", "created": 1, "owned_by": "us"} for name in seen.models]
        if self.path == "/v1/models":
            return self._json(200, {"object": "list", "data": served}, 0)
        name = self.path.rpartition("/")[2]
        if self.path == f"/v1/models/{name}" and name in seen.models:
            told = {"type": "model", "id": name, "display_name": name, "lifecycle": seen.lifecycle}
            return self._json(200, {**told, "created_at": "2026-01-01T00:00:00Z"}, 0)
        if self.path == f"/v1/models/{name}":
            return self._json(404, wire.error(wire.ANTHROPIC, 404, "not_found_error", f"model: {name}", 0), 0)
        return self._json(404, {"error": {"message": "no such page"}}, 0)

    def do_POST(self) -> None:
        seen = self.server.model_server
        body = json.loads(self.rfile.read(int(self.headers.get("content-length", 0))) or b"{}")
        # A proxy is told the whole address.
        path = urlsplit(self.path).path
        request = seen.note(path, {key.lower(): value for key, value in self.headers.items()}, body)
        if path == "/v1/messages/count_tokens":
            tokens = seen.tokens(request)
            if tokens is None:
                return self._json(404, wire.error(wire.ANTHROPIC, 404, "not_found_error", "no", 0), 0)
            return self._json(200, {"input_tokens": tokens}, request.number)
        if not request.api:
            return self._json(404, {"error": {"message": "no such page"}}, request.number)
        return self._do(seen.step_for(request), request)

    def _do(self, step: Step, request: Request) -> None:
        does = {
            "answer": self._answer,
            "obey": self._answer,
            "cut": self._answer,
            "stall": self._answer,
            "break": self._answer,
            "fail": self._fail,
            "html": self._html,
            "garbage": self._garbage,
            "hang": self._hang,
        }
        does[step["do"]](step, request)

    def _fail(self, step: Step, request: Request) -> None:
        status, kind = step["status"], step.get("kind", "invalid_request_error")
        extra = {key: str(step[key]) for key in ("retry_after", "location") if key in step}
        told = wire.error(request.api, status, kind, step.get("message", kind), request.number)
        self._json(status, told, request.number, **extra)

    def _html(self, step: Step, request: Request) -> None:
        self._head(
            step.get("status", 200), "text/html; charset=utf-8", 0, {"content-length": str(len(_PAGE))}
        )
        self.wfile.write(_PAGE)

    def _garbage(self, step: Step, request: Request) -> None:
        self._head(200, "text/event-stream", request.number, {})
        self.wfile.write(b"event: message_start\ndata: {not json\n\n")

    def _hang(self, step: Step, request: Request) -> None:
        seen = self.server.model_server
        while not seen.stopped.is_set():
            if select.select([self.connection], [], [], 0.02)[0] and not self._peeked():
                seen.hung_up.set()
                return

    def _peeked(self) -> bytes:
        try:
            peeked: bytes = self.connection.recv(1, socket.MSG_PEEK)
        except ConnectionError:
            return b""
        return peeked

    def _answer(self, step: Step, request: Request) -> None:
        said = wire.Said(
            api=request.api,
            model=step.get("model", str(request.body.get("model", ""))),
            text=_text(step, request),
            tool=step.get("tool", ""),
            stop=step.get("stop", "done"),
            usage={**_USAGE, **step.get("usage", {})},
            number=request.number,
        )
        if step.get("whole") or not request.body.get("stream"):
            return self._json(200, wire.whole(said), request.number)
        keep = step.get("keep", 3 if step["do"] in ("cut", "stall", "break") else None)
        return self._stream(step, islice(wire.stream(said), keep), request)

    def _stream(self, step: Step, events: Iterator[bytes], request: Request) -> None:
        rude = bool(step.get("rude"))
        # Only with a length of its own can a client tell a cut from an end; a polite cut looks like an end.
        self._head(200, "text/event-stream", request.number, {"content-length": "1000000"} if rude else {})
        for event in events:
            self.wfile.write(event)
            self.wfile.flush()
            if step.get("slow_ms"):
                self.server.model_server.stopped.wait(step["slow_ms"] / 1000)
        if step["do"] == "break":
            kind, status = step.get("kind", "overloaded_error"), step.get("status", 529)
            told = wire.error(request.api, status, kind, "broken on purpose", request.number)
            self.wfile.write(wire.event(told) if request.api == wire.ANTHROPIC else wire.chunk(told))
        if step["do"] == "stall":
            self._hang(step, request)

    def _json(self, status: int, body: Mapping[str, Any], number: int, **headers: str) -> None:
        data = json.dumps(body).encode()
        named = {key.replace("_", "-"): value for key, value in headers.items()}
        self._head(status, "application/json", number, {"content-length": str(len(data)), **named})
        self.wfile.write(data)

    def _head(self, status: int, kind: str, number: int, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        if number:
            # One of them each: Anthropic's name and OpenAI's.
            self.send_header("request-id", wire.request_id(number))
            self.send_header("x-request-id", wire.request_id(number))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()


def _text(step: Step, request: Request) -> str:
    if step["do"] == "obey":
        orders = [line for line in request.prompt.splitlines() if "OBEY: " in line]
        if orders:
            return orders[-1].partition("OBEY: ")[2]
    if "text" in step:
        return str(step["text"])
    return json.dumps(step.get("content", {}))


def main() -> None:
    """Serve a script from a file until a signal comes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--script", type=Path, required=True)
    parser.add_argument("--port-file", type=Path, required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--log", type=Path)
    told = parser.parse_args()
    with serving(json.loads(told.script.read_text()), port=told.port) as server:
        server.log = told.log
        temporary = told.port_file.with_suffix(".tmp")
        temporary.write_text(server.url.rpartition(":")[2])
        temporary.replace(told.port_file)
        server.stopped.wait()


if __name__ == "__main__":
    main()
