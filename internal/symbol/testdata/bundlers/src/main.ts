import { ExtensionRegistry } from "./registry";

const registry = new ExtensionRegistry();

function readSettings(text: string): number {
  const settings = JSON.parse(text);
  return settings.window.width; // settings.window is missing
}

export function activate(): number {
  registry.register({ id: "acme.open", run: () => readSettings("{}") });
  return registry.runCommand("acme.open");
}

try {
  activate();
} catch (e) {
  console.log((e as Error).stack);
}
