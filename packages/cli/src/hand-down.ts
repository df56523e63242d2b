import type { Command } from 'commander'
import { pathOf } from './commands/path.ts'
import { ProgramError } from './errors.ts'

/**
 * Commander gives an option to the outermost command that knows it, wherever it stands. For every command that has others
 * below it: what was given and the one below has as well is handed to it, and what the one below does not have is refused,
 * instead of being passed over in silence.
 */
export function handDownOptions(command: Command): void {
  if (command.commands.length > 0) command.hook('preSubcommand', handDown)
  for (const below of command.commands) handDownOptions(below)
}

function handDown(from: Command, to: Command): void {
  for (const option of from.options) {
    const name = option.attributeName()
    if (from.getOptionValueSource(name) !== 'cli') continue
    if (!to.options.some(each => each.attributeName() === name)) {
      throw new ProgramError('Usage', `${pathOf(to)} has no option ${option.long ?? option.short}.`, {
        remedy: `See: ${pathOf(to)} --help`,
      })
    }
    to.setOptionValueWithSource(name, from.getOptionValue(name), 'cli')
  }
}
