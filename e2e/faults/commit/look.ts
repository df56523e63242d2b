/**
 * What a librarian has kept, looked at from outside: directories by their raw names, the catalogue by plain SQL, the trail
 * and the sums as their formats are described.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { type Dirent, existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type {
  Seen,
  SeenFile,
  SeenInstance,
  SeenStore,
  SeenTransfer,
} from '../../../packages/librarian/test/check-invariants.ts'
import type { LaneCatalogue } from './engines.ts'

export async function look(stores: readonly StoreRoots[], catalogue: LaneCatalogue): Promise<Seen> {
  const files = await catalogue.query<SeenFile>('SELECT name, size, checksum, sha256, kind FROM file')
  const instances = await catalogue.query<SeenInstance>(
    'SELECT file_name, store.name AS store, available FROM instance JOIN store ON store.id = store_id',
  )
  return {
    files: files.map(file => ({ ...file, size: Number(file.size) })),
    instances: instances.map(copy => ({ ...copy, available: Number(copy.available) })),
    transfers: await catalogue.query<SeenTransfer>(
      'SELECT id, status, store_path, staging_path, token FROM incoming_transfer',
    ),
    intents: await catalogue.query<{ id: string }>('SELECT id FROM intent'),
    stores: stores.map(lookAtStore),
  }
}

/**
 * Reliability G1 and G2: each line of the trail ends with its digest and names that of the one before it, and
 * coreutils can check everything.
 *
 * @param damaged names of what somebody has damaged, and nobody has repaired yet
 */
export function lookAtSurvival(
  { name: store, root }: StoreRoots,
  { files: all, instances }: Seen,
  damaged: ReadonlySet<string> = new Set(),
): string[] {
  const files = all.filter(file =>
    instances.some(copy => copy.file_name === file.name && copy.store === store && copy.available === 1),
  )
  return [...brokenChains(join(root, '.arriero', 'trail')), ...brokenSums(root, files, damaged)]
}

export interface StoreRoots {
  readonly name: string
  readonly root: string
  readonly staging: string
}

export function lookAtStore({ name, root, staging }: StoreRoots): SeenStore {
  const own = join(root, '.arriero')
  return {
    name,
    disk: readDisk(root),
    trail: readTrail(join(own, 'trail')),
    stagings: namesIn(staging).filter(name => /^[0-9a-f-]{36}$/.test(name)),
    works: namesIn(join(own, 'work')),
    spools: namesIn(join(own, 'spool')).map(name => name.replace(/\..*$/, '')),
  }
}

/** Names are bytes: one that is no text must not look like nothing. */
export function readDisk(root: string, below: Buffer = Buffer.alloc(0), disk = new Map<string, Uint8Array | null>()) {
  const at = below.length ? Buffer.concat([Buffer.from(`${root}/`), below]) : Buffer.from(root)
  for (const entry of readdirSync(at, { withFileTypes: true, encoding: 'buffer' }) as Dirent<Buffer>[]) {
    if (below.length === 0 && entry.name.toString() === '.arriero') continue
    const path = below.length ? Buffer.concat([below, Buffer.from('/'), entry.name]) : entry.name
    const shown = path.toString('utf8')
    if (entry.isDirectory()) {
      disk.set(shown, null)
      readDisk(root, path, disk)
    } else {
      disk.set(shown, entry.isFile() ? readFileSync(Buffer.concat([Buffer.from(`${root}/`), path])) : Buffer.from('?'))
    }
  }
  return disk
}

function readTrail(directory: string): SeenStore['trail'] {
  return segmentsIn(directory)
    .flatMap(({ lines }) => lines)
    .flatMap(line => {
      const record = parse(line)?.record as SeenStore['trail'][number] | undefined
      return record === undefined ? [] : [record]
    })
}

function brokenChains(directory: string): string[] {
  const broken: string[] = []
  for (const { name, lines } of segmentsIn(directory)) {
    let previous = '0'.repeat(64)
    for (const [index, text] of lines.entries()) {
      const line = parse(text)
      const [, body, own] = /^(.*),"sha256":"([0-9a-f]{64})"\}$/.exec(text) ?? []
      const digest = createHash('sha256')
        .update(body ?? '')
        .digest('hex')
      const isTornEnd = (line === undefined || own !== digest) && index === lines.length - 1
      if (isTornEnd) break
      if (own !== digest || line?.number !== index + 1 || line.previous !== previous) {
        broken.push(`G1: line ${index + 1} of segment ${name} does not follow the one before it`)
        break
      }
      previous = digest
    }
  }
  return broken
}

function segmentsIn(directory: string): { name: string; lines: string[] }[] {
  return namesIn(directory)
    .sort()
    .map(name => ({ name, lines: readFileSync(join(directory, name), 'utf8').split('\n').filter(Boolean) }))
}

function brokenSums(root: string, files: Seen['files'], damaged: ReadonlySet<string>): string[] {
  const sums = join(root, '.arriero', 'SHA256SUMS')
  if (files.length === 0) return []
  if (!existsSync(sums)) return ['G2: there is no SHA256SUMS']
  const broken: string[] = []
  const listed = new Set(
    readFileSync(sums, 'utf8')
      .split('\n')
      .filter(line => !line.startsWith('#'))
      .map(line => line.slice(66)),
  )
  for (const { name, kind } of files) {
    const isListed = kind === 'tree' ? [...listed].some(path => path.startsWith(`${name}/`)) : listed.has(name)
    if (!isListed) broken.push(`G2: SHA256SUMS does not name ${name}`)
  }
  const { status, stdout, stderr } = spawnSync('sha256sum', ['--check', '--quiet', '--strict', sums], {
    cwd: root,
    encoding: 'utf8',
  })
  const isDamaged = (line: string) =>
    [...damaged].some(name => line.startsWith(`${name}:`) || line.startsWith(`${name}/`))
  const failures = stdout.split('\n').filter(line => line !== '' && !isDamaged(line))
  if (status !== 0 && (damaged.size === 0 || failures.length > 0))
    broken.push(`G2: sha256sum --check says: ${`${failures.join('\n')}${stderr}`.trim().slice(0, 300)}`)
  return broken
}

function parse(line: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

function namesIn(directory: string): string[] {
  return existsSync(directory) ? readdirSync(directory) : []
}
