"""An editor for the tests: pytest-lsp's client, with documents that take edits as a real one does."""

import asyncio
import json
import pathlib
from typing import Union

from lsprotocol import converters, types
from pytest_lsp import ClientServerConfig, make_test_lsp_client

CLIENTS = pathlib.Path(__file__).parent / "clients"
CONVERTER = converters.get_converter()
PATIENCE = 20


def columns(text, encoding):
    """Length of `text` in code units of `encoding`."""
    return len(text.encode("utf-8" if encoding == "utf-8" else "utf-16-le")) // (1 if encoding == "utf-8" else 2)


class Editor:
    """One editor with one server. `kind` is `neovim` or `vscode`."""

    def __init__(self, kind, client, initialized):
        self.kind = kind
        self.client = client
        self.capabilities = initialized.capabilities
        self.encoding = initialized.capabilities.position_encoding or "utf-16"
        self.documents = {}
        self.edits = []
        self.refuse_edits = False
        self.ended = False

    @classmethod
    async def start(cls, kind, command, env, root, options, configuration=None):
        described = json.loads((CLIENTS / f"{kind}.json").read_text())
        config = ClientServerConfig(server_command=command, server_env=env)
        client = await config.start()
        mend(client.protocol._converter)
        if configuration is not None:
            client.set_configuration({"agent": configuration})
        initialized = await client.initialize_session(
            types.InitializeParams(
                capabilities=CONVERTER.structure(described["capabilities"], types.ClientCapabilities),
                client_info=CONVERTER.structure(described["clientInfo"], types.ClientInfo),
                root_uri=root.as_uri(),
                workspace_folders=[types.WorkspaceFolder(uri=root.as_uri(), name=root.name)],
                initialization_options=options,
            )
        )
        editor = cls(kind, client, initialized)

        @client.feature(types.WORKSPACE_APPLY_EDIT)
        def apply_edit(params: types.ApplyWorkspaceEditParams):
            return editor._apply_edit(params)

        @client.feature(types.CLIENT_REGISTER_CAPABILITY)
        def register(params: types.RegistrationParams):
            return None

        return editor

    async def end(self):
        """Says goodbye and waits for the server's end."""
        if not self.ended:
            self.ended = True
            await self.client.shutdown_session()
            await self.client.stop()

    # Documents

    def open(self, uri, text, language="python"):
        self.documents[uri] = [1, text]
        item = types.TextDocumentItem(uri=uri, language_id=language, version=1, text=text)
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(text_document=item))

    def text(self, uri):
        return self.documents[uri][1]

    def replace(self, uri, start, end, text):
        """Replaces text between two character offsets and tells the server."""
        changed = types.TextDocumentContentChangePartial(range=self.range(uri, start, end), text=text)
        document = self.documents[uri]
        document[0] += 1
        document[1] = document[1][:start] + text + document[1][end:]
        self.client.text_document_did_change(
            types.DidChangeTextDocumentParams(
                text_document=types.VersionedTextDocumentIdentifier(uri=uri, version=document[0]),
                content_changes=[changed],
            )
        )

    def close(self, uri):
        del self.documents[uri]
        self.client.text_document_did_close(
            types.DidCloseTextDocumentParams(text_document=types.TextDocumentIdentifier(uri=uri))
        )

    def position(self, uri, offset):
        before = self.text(uri)[:offset].replace("\r\n", "\n")
        line = before.count("\n")
        return types.Position(line, columns(before.rsplit("\n", 1)[-1], self.encoding))

    def range(self, uri, start, end):
        return types.Range(self.position(uri, start), self.position(uri, end))

    def offset(self, uri, position):
        lines = self.text(uri).splitlines(keepends=True) + [""]
        start = sum(len(line) for line in lines[: position.line])
        line = lines[position.line] if position.line < len(lines) else ""
        units = 0
        for index, character in enumerate(line.rstrip("\r\n")):
            if units >= position.character:
                return start + index
            units += columns(character, self.encoding)
        return start + len(line.rstrip("\r\n"))

    # Requests

    def inline_params(self, uri, offset, kind=types.InlineCompletionTriggerKind.Automatic, selected=None):
        return types.InlineCompletionParams(
            context=types.InlineCompletionContext(trigger_kind=kind, selected_completion_info=selected),
            text_document=types.TextDocumentIdentifier(uri=uri),
            position=self.position(uri, offset),
        )

    async def inline(self, uri, offset, **more):
        asked = self.client.text_document_inline_completion_async(self.inline_params(uri, offset, **more))
        answer = await asyncio.wait_for(asked, PATIENCE)
        return getattr(answer, "items", answer) or []

    def accept(self, uri, item):
        """Puts a suggestion into the document, as accepting ghost text does."""
        start = self.offset(uri, item.range.start)
        end = self.offset(uri, item.range.end)
        assert item.range.start.line == item.range.end.line, "a range of several lines is not shown"
        self.replace(uri, start, end, item.insert_text)

    async def actions(self, uri, start, end=None, diagnostics=()):
        params = types.CodeActionParams(
            text_document=types.TextDocumentIdentifier(uri=uri),
            range=self.range(uri, start, start if end is None else end),
            context=types.CodeActionContext(diagnostics=list(diagnostics)),
        )
        answer = self.client.text_document_code_action_async(params)
        return await asyncio.wait_for(answer, PATIENCE) or []

    async def run(self, command, **argument):
        """Runs a command; returns its immediate answer."""
        params = types.ExecuteCommandParams(command=command, arguments=[argument])
        return await asyncio.wait_for(self.client.workspace_execute_command_async(params), PATIENCE)

    async def run_action(self, actions, title):
        action = next(action for action in actions if action.title.startswith(title))
        command = action.command
        return await self.run(command.command, **as_json(command.arguments[0]))

    async def status(self):
        return as_json(await asyncio.wait_for(self.client.protocol.send_request_async("agent/status"), PATIENCE))

    # What the server does

    def _apply_edit(self, params: types.ApplyWorkspaceEditParams):
        self.edits.append(params.edit)
        if self.refuse_edits:
            return types.ApplyWorkspaceEditResult(applied=False, failure_reason="read-only buffer")
        for change in params.edit.document_changes or []:
            if isinstance(change, types.TextDocumentEdit):
                held = self.documents.get(change.text_document.uri)
                version = change.text_document.version
                if held and version is not None and version != held[0]:
                    return types.ApplyWorkspaceEditResult(applied=False, failure_reason="stale version")
        for change in params.edit.document_changes or []:
            if isinstance(change, types.TextDocumentEdit):
                self._edit(change.text_document.uri, change.edits)
            else:
                self.documents.setdefault(change.uri, [0, ""])
        for uri, edits in (params.edit.changes or {}).items():
            self._edit(uri, edits)
        return types.ApplyWorkspaceEditResult(applied=True)

    def _edit(self, uri, edits):
        for edit in sorted(edits, key=lambda edit: (edit.range.start.line, edit.range.start.character), reverse=True):
            start, end = self.offset(uri, edit.range.start), self.offset(uri, edit.range.end)
            self.replace(uri, start, end, edit.new_text)

    async def until(self, what, happened):
        """Waits until `happened()` is true."""
        for _ in range(PATIENCE * 100):
            if result := happened():
                return result
            assert not [message for message in self.said() if "internal error" in message], self.said()
            await asyncio.sleep(0.01)
        raise AssertionError(f"{what}: did not happen; messages: {self.said()}")

    async def ready(self):
        """Waits for the model."""
        for _ in range(PATIENCE * 100):
            status = await self.status()
            if status["modelState"] != "loading":
                assert status["modelState"] == "ready", status
                return
            await asyncio.sleep(0.01)
        raise AssertionError("the model does not load")

    def said(self):
        """Every message shown to the user."""
        return [message.message for message in self.client.messages]

    def progress(self):
        """Kinds of progress, by token."""
        return {token: [report.kind for report in reports] for token, reports in self.client.progress_reports.items()}


def mend(converter):
    """lsprotocol takes every code action with a command for a bare command."""

    def action(given, _):
        bare = isinstance(given.get("command"), str)
        return converter.structure(given, types.Command if bare else types.CodeAction)

    converter.register_structure_hook(Union[types.Command, types.CodeAction], action)


def as_json(value):
    """What came as a pygls object, as plain JSON."""
    if hasattr(value, "_asdict"):
        return {key: as_json(item) for key, item in value._asdict().items()}
    if isinstance(value, list):
        return [as_json(item) for item in value]
    return value
