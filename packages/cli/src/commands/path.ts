import type { Command } from 'commander'

/** `arriero gen3 download-single` */
export function pathOf(command: Command): string {
  return command.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name()
}
