# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The language server that editors run on YAML files (yaml-language-server), spoken to as an editor does: JSON-RPC over pipes."""

from __future__ import annotations

import json
import subprocess
import threading
from pathlib import Path
from queue import Queue
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SERVER = ROOT / ".cache/editor/node_modules/.bin/yaml-language-server"
SECONDS = 60
# As the guide says for every editor: what Ansible puts behind a tag is a text.
SETTINGS = {"yaml": {"customTags": ["!vault scalar", "!unsafe scalar"], "validate": True, "completion": True}}


class LanguageServer:
    """One server, and the documents that are open in it."""

    def __init__(self) -> None:
        self.process = subprocess.Popen([SERVER, "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.messages: Queue[Any] = Queue()
        threading.Thread(target=self._listen, daemon=True).start()
        self.asked = self.opened = 0
        abilities = {
            "textDocument": {
                "publishDiagnostics": {},
                "completion": {"completionItem": {"snippetSupport": True}},
            },
            "workspace": {"configuration": True},
        }
        self.ask("initialize", {"processId": None, "rootUri": ROOT.as_uri(), "capabilities": abilities})
        self.tell("initialized", {})
        self.tell("workspace/didChangeConfiguration", {"settings": SETTINGS})

    def close(self) -> None:
        """The server ends with its pipe."""
        self.process.terminate()
        self.process.wait(SECONDS)

    def diagnostics(self, folder: Path, text: str) -> list[str]:
        """What the server says about a document, as an editor underlines it."""
        uri = self._open(folder, text)
        found = self._until(
            lambda one: one.get("method") == "textDocument/publishDiagnostics" and one["params"]["uri"] == uri
        )
        return [one["message"] for one in found["params"]["diagnostics"]]

    def completions(self, folder: Path, text: str) -> set[str]:
        """What the server offers at the '|' in a document."""
        before, after = text.split("|")
        uri = self._open(folder, before + after)
        lines = before.split("\n")
        where = {"line": len(lines) - 1, "character": len(lines[-1])}
        answer = self.ask("textDocument/completion", {"textDocument": {"uri": uri}, "position": where})
        return {item["label"] for item in answer["items"]}

    def ask(self, method: str, params: Any) -> Any:
        """A request, and its answer."""
        self.asked += 1
        self._send({"id": self.asked, "method": method, "params": params})
        return self._until(lambda one: one.get("id") == self.asked and "method" not in one)["result"]

    def tell(self, method: str, params: Any) -> None:
        """A notification."""
        self._send({"method": method, "params": params})

    def _open(self, folder: Path, text: str) -> str:
        """Open it under a name that no other has had: what is said of another is never taken for it."""
        self.opened += 1
        uri = (folder / f"new{self.opened}.yml").as_uri()
        document = {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
        self.tell("textDocument/didOpen", {"textDocument": document})
        return uri

    def _until(self, wanted: Any) -> Any:
        while True:
            message = self.messages.get(timeout=SECONDS)
            if message.get("method") == "workspace/configuration":
                sections = [item.get("section") for item in message["params"]["items"]]
                self._send({"id": message["id"], "result": [SETTINGS.get(section) for section in sections]})
            elif "id" in message and "method" in message:
                self._send({"id": message["id"], "result": None})
            elif wanted(message):
                return message

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        self.process.stdin.flush()

    def _listen(self) -> None:
        while True:
            length = 0
            for line in iter(self.process.stdout.readline, b"\r\n"):
                if not line:
                    return
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            self.messages.put(json.loads(self.process.stdout.read(length)))
