/** A command as it may be written down: no secrets, and our own program by its name. */
import { type Command, shown } from './command.ts'

export function showCommand(command: Command): string {
  const isOurs = command.argv[1]?.endsWith('/bin/arriero.js')
  const argv = isOurs ? ['arriero', ...command.argv.slice(2)] : command.argv
  return shown({ ...command, argv: hideSecrets(argv) })
}

export function hideSecrets(argv: readonly string[]): string[] {
  return argv.map((word, index) => withoutSecrets(word, argv[index - 1]))
}

/** Values of headers, and of addresses what may hold a secret: user and query. */
function withoutSecrets(word: string, before: string | undefined): string {
  const header = before === '--header' ? word : /^--header=(.*)$/s.exec(word)?.[1]
  if (header !== undefined && !header.startsWith('@')) return word.replace(/:.*$/s, ': ***')
  return hideInText(word)
}

/** The same of addresses within a text. */
export function hideInText(text: string): string {
  return text.replace(/(:\/\/)[^/?#\s'"]*@/g, '$1***@').replace(/(:\/\/[^\s'"?#]*)[?#][^\s'"]*/g, '$1?***')
}
