// An extension that reports with @vscode/extension-telemetry, in a host that is
// as much of VS Code as the module needs.
const Module = require("node:module");
const off = { dispose() {} };
const cleaned = (data) => ({ "common.extname": "acme.vscode", "common.extversion": "2.0.0", "common.vscodeversion": "1.102.3", "common.os": "linux",
  "common.vscodemachineid": "a-machine-id", "common.vscodesessionid": "a-session-id", ...data });
class EventEmitter {
  event = () => off;
  fire() {}
  dispose() {}
}
const vscode = {
  EventEmitter,
  version: "1.102.3",
  UIKind: { Desktop: 1, Web: 2 },
  env: {
    isTelemetryEnabled: true, machineId: "a-machine-id", sessionId: "a-session-id", language: "en", uiKind: 1, appName: "Editor", appHost: "desktop", remoteName: undefined,
    onDidChangeTelemetryEnabled: () => off,
    createTelemetryLogger: (sender, options) => ({
      isUsageEnabled: true, isErrorsEnabled: true, onDidChangeEnableStates: () => off,
      logUsage: (name, data) => sender.sendEventData(`acme.vscode/${name}`, flat(data, options)),
      logError: (name, data) => (name instanceof Error ? sender.sendErrorData(name, flat(data, options)) : sender.sendEventData(`acme.vscode/${name}`, flat(data, options))),
      dispose() {},
    }),
  },
  workspace: { getConfiguration: () => ({ get: () => "all" }), onDidChangeConfiguration: () => off },
  extensions: { getExtension: () => undefined },
};
function flat(data, options) {
  const properties = { ...options?.additionalCommonProperties, ...cleaned(data?.properties ?? {}) };
  return { properties, measurements: data?.measurements ?? {} };
}
const load = Module._load;
Module._load = (request, ...rest) => (request === "vscode" ? vscode : load(request, ...rest));

const { TelemetryReporter } = require("@vscode/extension-telemetry");
const reporter = new TelemetryReporter(process.env.CONNECTION_STRING);
reporter.sendTelemetryEvent("activated", { mode: "strict" }, { duration: 12.5 });
reporter.sendTelemetryEvent("saved", {}, {});
reporter.sendTelemetryErrorEvent("failed", { stage: "parse" });
function activate(manifest) {
  return manifest.main.length;
}
try {
  activate({});
} catch (error) {
  reporter.telemetryLogger.logError(error, { properties: {} }); // what VS Code does with an unhandled error
}
// The sender is made asynchronously; what is disposed before that is lost.
setTimeout(() => reporter.dispose().then(() => setTimeout(() => process.exit(0), 1500)), 500);
