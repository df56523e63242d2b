/** What a disk, a cable or a person does to bytes that nobody watches (reliability 4 B): with the size and time restored. */
import { createHash } from 'node:crypto'
import { chmod, lstat, readdir, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** A number below another. */
export type Random = (below: number) => number

/** Mulberry32: the same numbers for the same seed. */
export function randomFrom(seed: number): Random {
  let state = seed
  return below => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

export const fileDamages = ['flip', 'zero', 'swap', 'truncate', 'extend', 'remove'] as const
const treeDamages = ['flip', 'zero', 'truncate', 'extend', 'remove', 'rename', 'add', 'exchange'] as const

export interface Damage {
  readonly how: string
  /** Digest of all that is there afterwards; undefined: nothing is. */
  readonly digest: string | undefined
}

const edges = [4096, 65_536]

/** Where a byte is hit: head, middle, tail, or at an edge of what disks and caches work with. */
function placeIn(size: number, random: Random): number {
  const places = [0, Math.floor(size / 2), size - 1, ...edges.flatMap(edge => [edge - 1, edge])]
  const within = places.filter(place => place >= 0 && place < size)
  return within[random(within.length)]!
}

/** @param others what a file may be swapped with */
export async function damageFile(path: string, others: readonly string[], random: Random): Promise<Damage> {
  const bytes = await readFile(path)
  const kinds = fileDamages.filter(kind => bytes.length > 0 || kind === 'extend' || kind === 'remove')
  const kind = kinds[random(kinds.length)]!
  if (kind === 'remove') {
    await rm(path)
    return { how: kind, digest: undefined }
  }
  if (kind === 'swap') {
    // One that is gone by now is swapped with nobody.
    const other = await readFile(others[random(others.length)]!).catch(() => bytes)
    if (!other.equals(bytes)) return await written(path, other, kind)
  }
  return await damageBytes(path, bytes, kind === 'swap' ? 'flip' : kind, random)
}

async function damageBytes(path: string, bytes: Buffer, kind: string, random: Random): Promise<Damage> {
  const at = bytes.length === 0 ? 0 : placeIn(bytes.length, random)
  const changed = Buffer.from(bytes)
  if (kind === 'flip') changed[at]! ^= 1 << random(8)
  if (kind === 'zero') changed.fill(0, at, Math.min(at + 512, bytes.length))
  // A block that held nothing but zeros is not damaged by zeros.
  if (kind === 'zero' && changed.equals(bytes)) changed[at]! ^= 1
  if (kind === 'truncate') return await written(path, bytes.subarray(0, at), `truncate at ${at}`)
  if (kind === 'extend') return await written(path, Buffer.concat([bytes, Buffer.alloc(1 + random(600))]), kind)
  return await written(path, changed, `${kind} at ${at} of ${bytes.length}`)
}

async function written(path: string, bytes: Uint8Array, how: string): Promise<Damage> {
  const { atime, mtime, mode } = await lstat(path)
  await chmod(path, 0o600)
  await writeFile(path, bytes)
  await chmod(path, mode & 0o777)
  await utimes(path, atime, mtime)
  return { how, digest: createHash('sha256').update(bytes).digest('hex') }
}

export async function damageTree(path: string, random: Random): Promise<Damage> {
  const members = await filesIn(path)
  const kind = treeDamages[random(treeDamages.length)]!
  const member = members[random(members.length)]!
  const other = members[(members.indexOf(member) + 1) % members.length]!
  const how = await inOpenDirectories(path, async () => {
    if (kind === 'remove') await rm(join(path, member))
    else if (kind === 'rename') await rename(join(path, member), join(path, `${member}~`))
    else if (kind === 'add') await writeFile(join(path, 'added'), '')
    else if (kind === 'exchange') {
      const [a, b] = [await readFile(join(path, member)), await readFile(join(path, other))]
      await written(join(path, member), b, kind)
      await written(join(path, other), a, kind)
    } else {
      const bytes = await readFile(join(path, member))
      return (await damageBytes(join(path, member), bytes, bytes.length === 0 ? 'extend' : kind, random)).how
    }
    return kind
  })
  return { how: `tree: ${how} of ${member}`, digest: await digestOf(path) }
}

async function filesIn(path: string): Promise<string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true })
  return entries
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name).slice(path.length + 1))
    .sort()
}

/** Committed directories are read-only, and are so again. */
async function inOpenDirectories<T>(path: string, act: () => Promise<T>): Promise<T> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true })
  const directories = entries.filter(one => one.isDirectory()).map(({ parentPath, name }) => join(parentPath, name))
  const all = [path, ...directories]
  const modes = await Promise.all(all.map(async one => (await lstat(one)).mode & 0o777))
  for (const one of all) await chmod(one, 0o700)
  const done = await act()
  for (const [at, one] of all.entries()) await chmod(one, modes[at]!)
  return done
}

/** Of a file's bytes, or of all names and bytes in a directory; undefined: nothing is there. Nothing of ours reads it. */
export async function digestOf(path: string): Promise<string | undefined> {
  const met = await lstat(path).catch(() => undefined)
  if (!met) return undefined
  if (met.isFile())
    return createHash('sha256')
      .update(await readFile(path))
      .digest('hex')
  const hash = createHash('sha256')
  for (const file of await filesIn(path)) hash.update(`${file}\n`).update((await digestOf(join(path, file))) as string)
  return hash.digest('hex')
}

/** Content of many sizes, those at the edges among them. */
export function contentFrom(random: Random): Uint8Array {
  const sizes = [0, 1, 511, 4095, 4096, 4097, 65_535, 65_536, 65_537, 70_000, random(3000), random(20_000)]
  return Uint8Array.from({ length: sizes[random(sizes.length)]! }, () => random(256))
}
