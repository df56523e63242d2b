/**
 * A careful reader of the client's configuration (ssh_config(5)): the few settings that say where and as whom to
 * connect. `Match` blocks other than `Match all` are left out, because their conditions cannot be judged here.
 */
import { glob, readFile } from 'node:fs/promises'
import { dirname, isAbsolute, join } from 'node:path'
import { matchesPatternList } from './known-hosts.ts'

/** Settings by their names in lower case; the first value of each counts, but all of `identityfile`. */
export type SshConfig = ReadonlyMap<string, readonly string[]>

const MOST_INCLUDES = 16

/**
 * What the files say of a host, earlier files first. Files that are not there say nothing.
 *
 * @param host as the user wrote it
 */
export async function readSshConfig(files: readonly string[], host: string, home: string): Promise<SshConfig> {
  const settings = new Map<string, string[]>()
  for (const file of files) await readInto(settings, file, { host, home, isIn: true, depth: 0 })
  return settings
}

interface Reading {
  readonly host: string
  readonly home: string
  /** Whether the block that includes this file is for the host. */
  readonly isIn: boolean
  readonly depth: number
}

async function readInto(settings: Map<string, string[]>, file: string, reading: Reading): Promise<void> {
  const text = await readFile(file, 'utf8').catch(() => '')
  let isIn = reading.isIn
  for (const line of text.split(/\r?\n/)) {
    const [key, values] = parseLine(line)
    if (key === 'host') isIn = reading.isIn && matchesPatternList(values, reading.host)
    else if (key === 'match') isIn = reading.isIn && values.length === 1 && values[0]?.toLowerCase() === 'all'
    else if (key === 'include') await include(settings, values, file, { ...reading, isIn })
    else if (isIn && key && values.length > 0) add(settings, key, values)
  }
}

function add(settings: Map<string, string[]>, key: string, values: readonly string[]): void {
  if (key === 'identityfile') settings.set(key, [...(settings.get(key) ?? []), ...values])
  else if (!settings.has(key)) settings.set(key, [...values])
}

/** Relative names lie beside the file that includes them: ~/.ssh for the user's, /etc/ssh for the system's. */
async function include(
  settings: Map<string, string[]>,
  patterns: readonly string[],
  file: string,
  reading: Reading,
): Promise<void> {
  if (reading.depth >= MOST_INCLUDES || !reading.isIn) return
  for (const pattern of patterns) {
    const plain = underHome(pattern, reading.home)
    const full = isAbsolute(plain) ? plain : join(dirname(file), plain)
    const found: string[] = []
    for await (const name of glob(full)) found.push(name)
    for (const name of found.sort()) await readInto(settings, name, { ...reading, depth: reading.depth + 1 })
  }
}

/** `Key value`, `Key=value`, `Key "a value" other`; comments and empty lines have no key. */
function parseLine(line: string): readonly [string | undefined, readonly string[]] {
  const match = /^\s*([A-Za-z]\w*)(?:\s*=\s*|\s+)(.*)$/.exec(line)
  if (!match) return [undefined, []]
  const words = [...(match[2] as string).matchAll(/"([^"]*)"|([^\s"#][^\s"]*)|#.*$/g)]
  const values = words.map(([, quoted, plain]) => quoted ?? plain).filter(value => value !== undefined)
  return [(match[1] as string).toLowerCase(), values]
}

/** `~/a` is below the home directory. */
export function underHome(path: string, home: string): string {
  return path === '~' || path.startsWith('~/') ? join(home, path.slice(1)) : path
}

/** Fills in `%h`, `%d`, `%u`, `%r`, `%p` and `%%`; undefined if there is another token, which stands for something unknown. */
export function expandTokens(text: string, tokens: Readonly<Record<string, string>>): string | undefined {
  let isKnown = true
  const expanded = text.replace(/%(.?)/g, (_, token: string) => {
    if (token === '%') return '%'
    isKnown &&= tokens[token] !== undefined
    return tokens[token] ?? ''
  })
  return isKnown ? expanded : undefined
}
