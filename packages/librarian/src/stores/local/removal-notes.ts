/**
 * Which names were removed from a check list, and how long the list was then: lines from there on are newer, and stay. Kept
 * beside the list until their lines are struck out, so that they outlive a kill; several processes write into one file.
 */
import { randomUUID } from 'node:crypto'
import { open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { escapeName, unescapeName } from './sums-line.ts'
import { syncDirectory } from './sync-directory.ts'
import { codeOf } from './system-error.ts'

export interface TakenNotes {
  /** By name: lines that begin before this place are removed. */
  readonly removed: ReadonlyMap<string, number>
  /** They are done with. */
  drop(): Promise<void>
}

/** Ends a note. No name has it: without it a note that is torn would remove what is called like the part that is left. */
const END = '\u0001'

/** Durable when it resolves. */
export async function noteRemovals(path: string, names: readonly string[], size: number): Promise<void> {
  // Ended at both sides: a torn note before them must not swallow the first.
  const text = `\n${names.map(name => `${size} ${escapeName(name).text}${END}\n`).join('')}`
  // One that was taken while we wrote may have been read before: then we write into the next.
  while (!(await append(path, text))) {}
}

/** Takes what all processes have noted, and what killed ones took and did not end: to strike out twice does no harm. */
export async function takeNotes(path: string): Promise<TakenNotes> {
  await rename(path, `${path}.${randomUUID()}`).catch(ignoreMissing)
  const directory = dirname(path)
  const taken = (await readdir(directory).catch(ignoreMissing))?.filter(name => name.startsWith(`${basename(path)}.`))
  const paths = (taken ?? []).map(name => join(directory, name))
  const removed = new Map<string, number>()
  for (const each of paths) {
    // Another process may have been done with it sooner.
    const text = (await readFile(each, 'utf8').catch(ignoreMissing)) ?? ''
    for (const line of text.split('\n')) {
      const [, size, name] = line.endsWith(END) ? (/^(\d{1,15}) (.+)$/s.exec(line.slice(0, -1)) ?? []) : []
      if (name === undefined) continue
      const plain = unescapeName(name)
      removed.set(plain, Math.max(removed.get(plain) ?? 0, Number(size)))
    }
  }
  return { removed, drop: async () => void (await Promise.all(paths.map(each => rm(each, { force: true })))) }
}

async function append(path: string, text: string): Promise<boolean> {
  const file = await open(path, 'a', 0o600)
  try {
    await file.writeFile(text)
    await file.datasync()
    const mine = await file.stat({ bigint: true })
    if (mine.size === BigInt(Buffer.byteLength(text))) await syncDirectory(dirname(path))
    const there = await stat(path, { bigint: true }).catch(ignoreMissing)
    return there?.ino === mine.ino && there.dev === mine.dev
  } finally {
    await file.close()
  }
}

function ignoreMissing(error: unknown): undefined {
  if (codeOf(error) !== 'ENOENT') throw error
}
