/**
 * What lies in a directory of backups:
 *
 *     catalogue-1a2b3c4d-20261121T190003Z.db            a catalogue, whole
 *     catalogue-1a2b3c4d-20261121T190003Z.db.sha256     for `sha256sum -c`
 *     checks-1a2b3c4d.json                              when which was read in full, and what was wrong
 *
 * All of it can be looked at while the server runs: nobody needs the catalogue for it.
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { LibrarianError } from '@arriero/api'
import { z } from 'zod'
import { parseBackupName } from './backup-name.ts'

export interface Backup {
  readonly name: string
  readonly path: string
  readonly id: string
  readonly time: number
  readonly size: number
}

const verdict = z.object({ time: z.number(), problems: z.array(z.string()) })

const checksSchema = z.object({
  /** The catalogue itself, read in full. */
  catalogue: verdict.optional(),
  /** A backup that was restored and read in full. */
  restored: verdict.extend({ name: z.string() }).optional(),
  /** The last one of these that was good: it is not removed. */
  good: z.string().optional(),
})

export type Checks = z.output<typeof checksSchema>

/** Newest first. */
export async function listBackups(directory: string, id?: string): Promise<Backup[]> {
  const names = await readdir(directory).catch(ifMissing([]))
  const found = names.flatMap(name => {
    const parsed = parseBackupName(name)
    return parsed && (id === undefined || parsed.id === id) ? [{ name, path: join(directory, name), ...parsed }] : []
  })
  found.sort((a, b) => b.time - a.time)
  return Promise.all(found.map(async backup => ({ ...backup, size: (await stat(backup.path)).size })))
}

/** @param isChosen whether it must be there already: what the settings name is made by whoever mounts the disk */
export async function makeBackupDirectory(directory: string, isChosen: boolean): Promise<void> {
  if (!isChosen) await mkdir(directory, { recursive: true, mode: 0o700 })
  if ((await stat(directory).catch(ifMissing(undefined)))?.isDirectory()) return
  throw new LibrarianError('Configuration', `Cannot back up the catalogue: there is no directory ${directory}`, {
    remedy: 'Mount its disk, or name another one as backups.directory.',
  })
}

/** What a process that was killed while it wrote has left. Only the owner of the catalogue may call it, between backups. */
export async function removeTorn(directory: string, id: string): Promise<void> {
  const names = await readdir(directory)
  const whole = new Set(names.filter(name => parseBackupName(name) !== undefined))
  const torn = names.filter(
    name =>
      name.startsWith(`catalogue-${id}-`) &&
      (name.endsWith('.tmp') || (name.endsWith('.sha256') && !whole.has(name.slice(0, -'.sha256'.length)))),
  )
  for (const name of torn) await rm(join(directory, name), { force: true })
}

export async function removeBackup({ path }: Backup): Promise<void> {
  await rm(path, { force: true })
  await rm(`${path}.sha256`, { force: true })
}

export async function readChecks(directory: string, id: string): Promise<Checks> {
  const text = await readFile(checksPath(directory, id), 'utf8').catch(ifMissing('{}'))
  try {
    return checksSchema.parse(JSON.parse(text))
  } catch {
    // Of no value in itself: what it knew is found out again.
    return {}
  }
}

export async function writeChecks(directory: string, id: string, checks: Checks): Promise<void> {
  await writeDurably(directory, checksPath(directory, id), `${JSON.stringify(checks)}\n`)
}

export async function writeDigest({ path, name }: Backup, directory: string): Promise<void> {
  await writeDurably(directory, `${path}.sha256`, `${await sha256Of(path)}  ${name}\n`)
}

/** Undefined: right, or never written down. */
export async function digestProblem(path: string): Promise<string | undefined> {
  const line = await readFile(`${path}.sha256`, 'utf8').catch(ifMissing(undefined))
  if (line === undefined) return undefined
  const [wanted] = line.split(' ')
  const met = await sha256Of(path)
  return met === wanted ? undefined : `its SHA-256 must be ${wanted}, and is ${met}`
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const piece of createReadStream(path, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>)
    hash.update(piece)
  return hash.digest('hex')
}

function checksPath(directory: string, id: string): string {
  return join(directory, `checks-${id}.json`)
}

async function writeDurably(directory: string, path: string, text: string): Promise<void> {
  const temporary = `${path}.tmp`
  await rm(temporary, { force: true })
  const file = await open(temporary, 'wx', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(temporary, path)
  const parent = await open(directory, 'r')
  try {
    await parent.sync()
  } finally {
    await parent.close()
  }
}

function ifMissing<T>(value: T): (error: NodeJS.ErrnoException) => T {
  return error => {
    if (error.code === 'ENOENT') return value
    throw error
  }
}
