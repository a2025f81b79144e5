"""A server on loopback that takes what wandb sends and keeps it, for tests."""

from __future__ import annotations

import gzip
import json
import re
import threading
import time
from collections import defaultdict
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

KEY = "k" * 40  # of an account; wandb wants 40 characters

PROJECT = {"id": "1", "name": "csrgan", "entity": {"id": "1", "name": "somebody"}}
ANSWERS: dict[str, dict[str, Any]] = {
    "Viewer": {"viewer": {"id": "1", "entity": "somebody", "username": "somebody", "flags": "{}", "teams": {"edges": []}}},
    "GetDefaultEntity": {"viewer": {"id": "1", "entity": "somebody"}},
    "ArtifactType": {"project": {"artifact": None}},
    # As if it were there already: a table also comes as a file of its run.
    "CreateArtifact": {"createArtifact": {"artifact": {"id": "1", "state": "COMMITTED", "artifactSequence": {"id": "1"}}}},
}


class Server(ThreadingHTTPServer):
    """Keeps, by the id of a run: what was said of it, the rows of its history, its exit code; by path, the files that were put.

    drips: it answers with a byte a second; so it does when /drip was asked for.
    operations: the names of all GraphQL requests, in order, with their variables.
    jobs: of a sweep, the arguments by the id of their run, which its agents are given one after another.
    """

    daemon_threads = True

    def __init__(self, drips: bool = False) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.drips = drips
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.runs: dict[str, dict[str, Any]] = defaultdict(dict)
        self.history: dict[str, dict[int, dict[str, Any]]] = defaultdict(dict)
        self.summaries: dict[str, dict[str, Any]] = {}
        self.exits: dict[str, int] = {}
        self.files: dict[str, bytes] = {}
        self.answers = ANSWERS
        self.operations: list[tuple[str, dict[str, Any]]] = []
        self.jobs: dict[str, dict[str, Any]] = {}
        self.given: list[str] = []

    def __enter__(self) -> Server:
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.shutdown()
        self.server_close()

    def account(self) -> dict[str, str]:
        """The environment of who is logged in here."""
        return {"WANDB_BASE_URL": self.url, "WANDB_API_KEY": KEY}

    def stream(self, run: str, sent: dict[str, Any]) -> None:
        """One message of a run's file stream: rows by their number, the summary, and in the end an exit code."""
        for name, part in sent.get("files", {}).items():
            if name == "wandb-history.jsonl":
                self.history[run] |= dict(enumerate(map(json.loads, part["content"]), part["offset"]))
            elif name == "wandb-summary.json":
                self.summaries[run] = json.loads(part["content"][-1])
        if sent.get("complete"):
            self.exits[run] = sent["exitcode"]

    def answer(self, query: str, given: dict[str, Any]) -> dict[str, Any]:
        """To a GraphQL request; nothing to those that are not known here."""
        name = (re.findall(r"(?:query|mutation)\s+(\w+)", query) or [query])[0]
        self.operations.append((name, given))
        if name == "UpsertBucket":
            self.runs[given["name"]] |= {key: value for key, value in given.items() if value is not None}
            bucket = {"id": given["name"], "name": given["name"], "project": PROJECT, "historyLineCount": 0}
            return {"upsertBucket": {"bucket": bucket, "inserted": True}}
        if name == "CreateRunFiles":
            files = [{"name": file, "uploadUrl": f"{self.url}/put/{given['run']}/{file}"} for file in given["files"]]
            return {"createRunFiles": {"runID": given["run"], "uploadHeaders": [], "files": files}}
        if name == "UpsertView2":
            return {"upsertView": {"view": {"id": "1", "name": given["name"]}, "inserted": True}}
        if name == "Heartbeat":
            return {"agentHeartbeat": {"agent": {"id": "1"}, "commands": json.dumps(self.orders(json.loads(given["runState"])))}}
        return self.answers.get(name, {})

    def orders(self, states: dict[str, bool]) -> list[dict[str, Any]]:
        """To an agent, whose runs are true until they end: the next job when none is, and the end after the last."""
        if any(states.values()):
            return []
        left = [job for job in self.jobs if job not in self.given]
        self.given += left[:1]
        run = [{"type": "run", "run_id": job, "program": "csrgan", "args": self.jobs[job]} for job in left[:1]]
        return run or [{"type": "exit"}]


class Handler(BaseHTTPRequestHandler):
    server: Server

    def log_message(self, *_: Any) -> None:
        pass

    def do_POST(self) -> None:
        if self.path == "/die":  # as soon as this is answered, nothing is
            threading.Thread(target=self.server.__exit__, args=(None, None, None)).start()
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        answer: dict[str, Any] = {}
        if self.path == "/graphql":
            asked = json.loads(body)
            answer = {"data": self.server.answer(asked["query"], asked.get("variables") or {})}
        elif self.path.endswith("/file_stream"):
            self.server.stream(self.path.split("/")[-2], json.loads(body))
        else:
            self.server.files[self.path] = body
        text = json.dumps(answer).encode()
        if self.server.drips:
            self.drip()
            return
        self.server.drips = self.path == "/drip"
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def drip(self) -> None:
        """An answer without end, a byte a second."""
        with suppress(OSError):
            for byte in b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n" + 9999 * b" ":
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
                time.sleep(1)

    do_PUT = do_GET = do_POST  # noqa: N815
