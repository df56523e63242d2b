/** Shell completion: @bomb.sh/tab knows the shells, commander the flags. */
import completions from '@bomb.sh/tab'
import fromCommander from '@bomb.sh/tab/commander'
import type { Command } from 'commander'

export const shells = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof shells)[number]

/** tab prints; we want text. */
function captured(print: () => void): string {
  const { log } = console
  let text = ''
  console.log = (...parts: unknown[]) => {
    text += `${parts.join(' ')}\n`
  }
  try {
    print()
  } finally {
    console.log = log
  }
  return text
}

/** The script that a shell sources. */
export function completionScript(shell: Shell): string {
  const script = captured(() => completions.setup('arriero', 'arriero', shell))
  return shell === 'bash' ? mendBash(script) : script
}

/**
 * tab's script for bash evaluates what is being typed, so that pressing Tab behind `$(…)` or `&` would run it; it breaks
 * when it is sourced twice, needs the bash-completion package, and never completes file names.
 */
function mendBash(script: string): string {
  return script
    .replace(/^readonly (ShellComp\w+=)/gm, '$1')
    .replace('out=$(eval "$requestComp" 2>/dev/null)', `out=$(arriero complete -- "\${words[@]:1}" 2>/dev/null)`)
    .replace(/\n {4}# Build the command to get completions\n.*?\n {4}fi\n/s, '\n')
    .replace(
      '    _get_comp_words_by_ref -n "=:" cur prev words cword\n',
      `    if declare -F _get_comp_words_by_ref >/dev/null; then
        _get_comp_words_by_ref -n "=:" cur prev words cword
    else
        words=("\${COMP_WORDS[@]:0:COMP_CWORD+1}")
        cur=\${COMP_WORDS[COMP_CWORD]}
    fi
`,
    )
    .replace('complete -F __arriero_complete arriero', 'complete -o default -F __arriero_complete arriero')
}

/** Directives of tab's protocol: `:4` forbids file names, `:0` lets the shell offer them. */
const noFiles = 4

/** The answer to `arriero complete -- WORDS…`: a line for each candidate, and a directive. */
export function completionsFor(words: readonly string[], program: Command): string {
  const root = fromCommander(program, { completionCommandName: 'completion-script' })
  // Global flags are offered after a command as well.
  for (const command of root.commands.values()) {
    for (const [name, option] of root.options) if (!command.options.has(name)) command.options.set(name, option)
  }
  for (const name of ['complete', 'completion-script', 'help']) root.commands.delete(name)
  const lines = captured(() => root.parse([...words]))
    .split('\n')
    .filter(line => line !== '' && !line.startsWith(':'))
  // With nothing of ours to offer it is a file: a target, a list, a report.
  return [...lines, `:${lines.length > 0 || words.length <= 1 ? noFiles : 0}`].join('\n')
}
