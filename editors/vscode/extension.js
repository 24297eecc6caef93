// Starts the language server; everything else is the protocol. No prompt logic here.
const vscode = require('vscode');
const { LanguageClient, TransportKind } = require('vscode-languageclient/node');

let client;

const settings = () => vscode.workspace.getConfiguration('agent');
const options = () => ({ ...settings().get('options'), trusted: vscode.workspace.isTrusted });

// The server cannot ask, so the instruction is asked for here.
async function executeCommand(command, args, next) {
  if (command === 'agent.rewrite' && args[0] && !args[0].instruction) {
    const instruction = await vscode.window.showInputBox({ prompt: 'Rewrite: what should change?' });
    if (!instruction) return undefined;
    args = [{ ...args[0], instruction }];
  }
  return next(command, args);
}

// Extensions with ghost text of their own; option `complete.give_way` says beside which ours is silent.
const others = {
  'github.copilot': 'copilot',
  'codeium.codeium': 'codeium',
  'continue.continue': 'continue',
  'ggml-org.llama-vscode': 'llama',
  'supermaven.supermaven': 'supermaven',
  'tabbyml.vscode-tabby': 'tabby',
  'tabnine.tabnine-vscode': 'tabnine',
};

function tellOthers() {
  const active = Object.keys(others).filter((id) => vscode.extensions.getExtension(id)?.isActive);
  client.sendNotification('agent/otherSuggestions', { active: active.map((id) => others[id]) });
}

exports.activate = async (context) => {
  const server = { command: settings().get('path'), args: ['lsp'], transport: TransportKind.stdio };
  const selector = settings().get('languages').flatMap((language) =>
    ['file', 'untitled'].map((scheme) => (language === '*' ? { scheme } : { scheme, language })));
  client = new LanguageClient('agent', 'agent', server, {
    documentSelector: selector,
    initializationOptions: options(),
    middleware: {
      executeCommand,
      workspace: { configuration: (params) => params.items.map(() => options()) },
    },
  });
  const changed = () => client.sendNotification('workspace/didChangeConfiguration', { settings: null });
  context.subscriptions.push(
    vscode.workspace.onDidGrantWorkspaceTrust(changed),
    vscode.workspace.onDidChangeConfiguration((event) => event.affectsConfiguration('agent') && changed()),
  );
  // From version 10 on the client registers ghost text by itself when the server offers it.
  await client.start();
  tellOthers();
  // Nobody tells when another extension becomes active; most do so soon after the start.
  const later = setTimeout(tellOthers, 15000);
  context.subscriptions.push(
    vscode.extensions.onDidChange(tellOthers),
    new vscode.Disposable(() => clearTimeout(later)),
  );
};

exports.deactivate = () => client && client.stop();
