"""A file server on loopback with Range requests, which can cut connections, return errors and be slow."""

from __future__ import annotations

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import PurePosixPath
from typing import Any


class ArchiveServer:
    """Serve `files` by name. breaks: for each of the next responses, after how many bytes the connection is cut, or None.

    ranges: the first byte of each request. sent: bytes in total. at_once: the most requests that were answered at one time.
    """

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files, self.breaks, self.statuses = files, list[int | None](), list[int]()
        self.ranges, self.sent, self.pause = list[int](), 0, 0.0
        self.at_once, self._now, self._lock = 0, 0, threading.Lock()

    def __enter__(self) -> ArchiveServer:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.answer(self)

            def do_HEAD(self) -> None:
                self.send_response(200)
                self.send_header("Content-Length", str(len(server.files[PurePosixPath(self.path).name])))
                self.send_header("Accept-Ranges", "bytes")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.handle_error = lambda *_: None  # type: ignore[method-assign]  # a killed client has closed its connection
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        return self

    def __exit__(self, *_: Any) -> None:
        self.http.shutdown()
        self.http.server_close()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        with self._lock:
            self._now += 1
            self.at_once = max(self.at_once, self._now)
        try:
            self._answer(request)
        finally:
            with self._lock:
                self._now -= 1

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        data = self.files[PurePosixPath(request.path).name]
        if self.statuses:
            request.send_error(self.statuses.pop(0))
            return
        asked = request.headers.get("Range", "bytes=0-").removeprefix("bytes=").split("-")
        first, last = int(asked[0]), int(asked[1]) if asked[1] else len(data) - 1
        self.ranges.append(first)
        body = data[first : last + 1]
        request.send_response(206 if "Range" in request.headers else 200)
        request.send_header("Content-Length", str(len(body)))
        request.send_header("Content-Range", f"bytes {first}-{last}/{len(data)}")
        request.end_headers()
        end = self.breaks.pop(0) if self.breaks else None
        body = body[:end]
        for start in range(0, len(body), 10_000):
            request.wfile.write(body[start : start + 10_000])
            self.sent += len(body[start : start + 10_000])
            time.sleep(self.pause)
        if end is not None:
            request.connection.close()
