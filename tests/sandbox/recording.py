"""Calls of other people's programs: how they are recorded, and how they are replayed.

    python -m tests.sandbox.recording tests/sandbox/recorded/NAME.json "what it is"

serves a sandbox and prints its address; end it with Ctrl+C when the program is done.
Requests are kept as they came. Only the ids that the sandbox had given out are other
ones at replay: wherever a request names one, the new one takes its place.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from stripe_sandbox.http_messages import Response
from stripe_sandbox.sandbox import Sandbox
from stripe_sandbox.server import Server

Json = dict[str, Any]
Handle = Callable[[str, str, Mapping[str, str], bytes], Response]
AT = 1_801_396_800  # the sandbox's clock stands still, as it will at replay
_HEADERS = ("authorization", "content-type", "idempotency-key", "stripe-version",
            "user-agent")  # fmt: skip
_FACTS = ("object", "status", "amount", "amount_due", "amount_paid", "amount_total",
          "balance", "cancel_at_period_end", "deleted", "payment_status")  # fmt: skip
_ERROR_FACTS = ("type", "code", "decline_code", "param")
_ID = re.compile(r"[a-z]+(?:_[a-z]+)*_[A-Za-z0-9]{14,}")


def replay(recording: Json, handle: Handle) -> Iterator[tuple[Json, Json, int]]:
    """Send the recorded calls; yield each with the answer and its status."""
    new_ids: dict[str, str] = {}
    for call in recording["calls"]:
        target, body = (_renamed(call[part], new_ids) for part in ("target", "body"))
        response = handle(call["method"], target, call["headers"], body.encode())
        answer = response.json()
        for old, path in call["ids"].items():
            new_ids[old] = _at(answer, path)
        yield call, answer, response.status


def facts_of(answer: Json) -> Json:
    """Return what a program goes by: states and amounts, or the error."""
    if "error" in answer:
        error = answer["error"]
        return {name: error[name] for name in _ERROR_FACTS if name in error}
    return {name: answer[name] for name in _FACTS if name in answer}


def record(out: Path, client: str) -> None:
    """Serve a sandbox until it is interrupted, and write down what it was asked."""
    calls: list[Json] = []
    with tempfile.TemporaryDirectory() as directory:
        server = Server("127.0.0.1", 0)
        base_url = f"http://127.0.0.1:{server.server_port}"
        sandbox = Sandbox(Path(directory) / "stripe.sqlite", base_url=base_url)
        sandbox.clock.freeze(AT)
        sandbox.handle = _listening(sandbox.handle, calls)  # type: ignore[method-assign]
        server.sandbox = sandbox
        sys.stdout.write(f"{base_url}\n")
        sys.stdout.flush()
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            recording = {"client": client, "at": AT, "calls": _with_ids(calls)}
            out.write_text(json.dumps(recording, indent=1) + "\n")


def _listening(handle: Handle, calls: list[Json]) -> Handle:
    def listen(
        method: str, target: str, headers: Mapping[str, str], body: bytes = b""
    ) -> Response:
        response = handle(method, target, headers, body)
        sent = {name.lower(): value for name, value in headers.items()}
        calls.append(
            {
                "method": method,
                "target": target,
                "headers": {name: sent[name] for name in _HEADERS if name in sent},
                "body": body.decode(),
                "status": response.status,
                "answer": response.json(),
            }
        )
        return response

    return listen


def _with_ids(calls: list[Json]) -> list[Json]:
    """Note where in an answer the ids stand that later requests name."""
    kept, known = [], set()
    for position, call in enumerate(calls):
        later = "\n".join(
            each[part] for each in calls[position + 1 :] for part in ("target", "body")
        )
        wanted = set(_ID.findall(later)) - known
        answer = call.pop("answer")
        found = [(text, path) for path, text in _strings(answer) if text in wanted]
        ids = dict(reversed(found))  # the first place counts: mostly the object's own
        known |= ids.keys()
        kept.append(call | {"ids": ids, "facts": facts_of(answer)})
    return kept


def _strings(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict | list):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, child in pairs:
            yield from _strings(child, f"{path}.{key}" if path else str(key))


def _at(answer: Any, path: str) -> str:
    for step in path.split("."):
        answer = answer[int(step)] if isinstance(answer, list) else answer[step]
    return str(answer)


def _renamed(text: str, new_ids: dict[str, str]) -> str:
    return _ID.sub(lambda match: new_ids.get(match[0], match[0]), text)


if __name__ == "__main__":
    record(Path(sys.argv[1]), sys.argv[2])
