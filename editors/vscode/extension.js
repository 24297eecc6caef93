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
};

exports.deactivate = () => client && client.stop();
