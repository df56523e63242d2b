import { Argument, type Command } from 'commander'
import type { Context } from '../context.ts'
import type { Run } from './define.ts'

export function define(command: Command, run: Run): void {
  command.addArgument(new Argument('<shell>', 'which shell').choices(['bash', 'zsh', 'fish'])).addHelpText(
    'after',
    `
Examples:
  source <(arriero completion bash)     # now; in ~/.bashrc for always
  source <(arriero completion zsh)      # now; in ~/.zshrc for always
  arriero completion fish > ~/.config/fish/completions/arriero.fish`,
  )
  command.action(run(completion))
}

async function completion([shell]: string[], _flags: unknown, { terminal }: Context): Promise<number> {
  const { completionScript, shells } = await import('../completion-scripts.ts')
  terminal.stdout.write(completionScript(shells.find(each => each === shell)!))
  return 0
}
