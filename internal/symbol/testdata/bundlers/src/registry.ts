export interface Command { id: string; run(): number }

export class ExtensionRegistry {
  private readonly commands = new Map<string, Command>();

  register(command: Command): void {
    this.commands.set(command.id, command);
  }

  runCommand(id: string): number {
    const command = this.commands.get(id);
    if (!command) throw new Error(`unknown command ${id}`);
    return command.run();
  }
}
