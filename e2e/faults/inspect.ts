/**
 * The invariant checker: looks at what lies in a target directory and says what must not be so. It knows file names and
 * the journal's format from their description, and shares no code with the program.
 */
import { createHash } from 'node:crypto'
import { lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'

export interface Found {
  /** Final names that are visible, right or wrong. */
  readonly visible: ReadonlySet<string>
  /** Whatever else lies there and is of a known form. */
  readonly debris: readonly string[]
  readonly problems: readonly string[]
  /** Bytes that a journal in the directory says were written, by final name. */
  readonly recorded: ReadonlyMap<string, number>
}

/** Reliability A1: whatever is visible is whole. */
export function inspect(target: string, expected: ReadonlyMap<string, Buffer>): Found {
  const visible = new Set<string>()
  const debris: string[] = []
  const problems: string[] = []
  const recorded = new Map<string, number>()
  for (const path of walk(target)) {
    const name = relative(target, path)
    const wanted = expected.get(name)
    if (wanted) {
      visible.add(name)
      const problem = whyNot(path, wanted)
      if (problem) problems.push(`${name} ${problem}`)
    } else if (isKnownDebris(name, expected)) {
      debris.push(name)
      if (name.endsWith('.part.journal')) recorded.set(name.slice(0, -'.part.journal'.length), recordedBytes(path))
    } else problems.push(`${name} should not be there`)
  }
  return { visible, debris, problems, recorded }
}

export function missing(found: Found, expected: ReadonlyMap<string, Buffer>): string[] {
  return [...expected.keys()].filter(name => !found.visible.has(name))
}

function whyNot(path: string, wanted: Buffer): string | undefined {
  if (!lstatSync(path).isFile()) return 'is no file'
  const bytes = readFileSync(path)
  if (bytes.length !== wanted.length) return `has ${bytes.length} bytes, must have ${wanted.length}`
  return digest(bytes) === digest(wanted) ? undefined : 'has wrong content'
}

function digest(bytes: Buffer): string {
  return createHash('sha512').update(bytes).digest('hex')
}

function isKnownDebris(name: string, expected: ReadonlyMap<string, Buffer>): boolean {
  if (name === '.arriero' || /^\.arriero\/[^/]+$/.test(name)) return true
  const match = /^(.+?)\.part(?:\.journal|\.journal\.new|\.claim|\.claim\.\d+)?$/.exec(name)
  return match !== null && expected.has(match[1] as string)
}

/** Files, and directories that are empty or private; others are named by what is in them. */
function* walk(directory: string): Generator<string> {
  const entries = readdirIfThere(directory)
  for (const name of entries) {
    const path = join(directory, name)
    if (!lstatSync(path).isDirectory()) yield path
    else {
      // What a run over a list writes of itself, beside its files: nothing that a list names may be there.
      if (name === '.transfer') continue
      if (name.startsWith('.')) yield path
      yield* walk(path)
    }
  }
}

function readdirIfThere(directory: string): string[] {
  try {
    return readdirSync(directory).sort()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

/** Distinct bytes of `block OFFSET LENGTH CRC32C CRC` lines that are whole. */
function recordedBytes(journal: string): number {
  const blocks = new Map<number, number>()
  for (const line of readFileSync(journal, 'utf8').split('\n').slice(0, -1)) {
    const match = /^block (\d+) (\d+) [0-9a-f]{8} [0-9a-f]{8}$/.exec(line)
    if (match) blocks.set(Number(match[1]), Number(match[2]))
  }
  return [...blocks.values()].reduce((sum, length) => sum + length, 0)
}
