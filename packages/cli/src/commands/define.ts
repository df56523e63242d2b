import type { Command } from 'commander'
import type { Context } from '../context.ts'

/**
 * Adds arguments, options, examples and the action to a command that has its name and summary already. `whole` gives the
 * program with every command defined, for those that speak of the others.
 */
export type Define = (command: Command, run: Run, whole: () => Promise<Command>) => void

/** Binds an action: the context exists only once the options are parsed. It resolves to the exit code. */
export type Run = <Options>(
  action: (operands: string[], options: Options, context: Context) => Promise<number>,
) => (...args: unknown[]) => Promise<void>
