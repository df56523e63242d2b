/** Settings that the environment has: `PREFIX_KEY`, in any case; values that are not single ones are JSON text. */
import { LibrarianError } from '@arriero/api'

export type Environment = Readonly<Record<string, string | undefined>>

export interface FromEnvironment {
  readonly values: Record<string, unknown>
  /** Names that begin with the prefix and are no key: misspelled, most likely. */
  readonly unknown: readonly string[]
}

export function readEnvironment(
  env: Environment,
  { prefix, keys, complex }: { prefix: string; keys: readonly string[]; complex: ReadonlySet<string> },
): FromEnvironment {
  const values: Record<string, unknown> = {}
  const unknown: string[] = []
  for (const [name, text] of Object.entries(env)) {
    if (text === undefined || !name.toUpperCase().startsWith(prefix)) continue
    const key = name.slice(prefix.length).toLowerCase()
    if (!keys.includes(key)) unknown.push(name)
    else values[key] = complex.has(key) ? parse(name, text) : text
  }
  return { values, unknown }
}

function parse(name: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Without the parser's words: they quote the text, which may hold a secret.
    throw new LibrarianError('Configuration', `Cannot read ${name}: the variable must hold JSON text`, {
      remedy: `Write ${name} as JSON, for example '[]' or '{}'.`,
    })
  }
}
