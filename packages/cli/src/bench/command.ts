/** A program to run, with its arguments. */
export interface Command {
  readonly argv: readonly string[]
  /** Added to our own environment. */
  readonly env?: Readonly<Record<string, string>> | undefined
  /**
   * What becomes of what it prints: kept as text, thrown away, or `digest`: its SHA-256 in hex is kept. Default: `text`.
   */
  readonly stdout?: 'text' | 'null' | 'digest'
}

/** As it could be typed into a shell. */
export function shown({ argv, env = {}, stdout }: Command): string {
  const words = [...Object.entries(env).map(([name, value]) => `${name}=${quote(value)}`), ...argv.map(quote)]
  return words.join(' ') + (stdout === 'null' ? ' >/dev/null' : '')
}

export const quote = (word: string) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)
