import type { Command } from 'commander'
import type { Context } from '../context.ts'
import type { Run } from './define.ts'

/** What completion scripts call: `arriero complete -- WORDS…`. Hidden, since nobody types it. */
export function define(command: Command, run: Run, whole: () => Promise<Command>): void {
  command.argument('[words...]').allowUnknownOption().helpOption(false)
  command.action(
    run(async (words: string[], _flags: unknown, { terminal }: Context) => {
      const { completionsFor } = await import('../completion-scripts.ts')
      terminal.stdout.write(`${completionsFor(words, await whole())}\n`)
      return 0
    }),
  )
}
