/**
 * The file by which a disk is known: without it, or with another, there is no store here (reliability B4). It is written
 * beside and then linked or renamed, so that whoever reads it reads all of it.
 */
import { randomBytes, randomUUID } from 'node:crypto'
import { chmod, link, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { LibrarianError } from '@arriero/api'
import { z } from 'zod'
import { type Keeper, keeperSchema } from '../keeper.ts'
import type { Life } from '../life.ts'
import type { Unavailable } from '../store.ts'
import { type Layout, layoutOf, privateDirectories } from './layout.ts'
import { syncDirectory } from './sync-directory.ts'
import { codeOf, isExhaustion, systemError } from './system-error.ts'

const schema = z.object({ uuid: z.uuid(), name: z.string(), keeper: keeperSchema.optional() })

export type Marker = z.infer<typeof schema>

/** Why there is none is a reason for people. */
export async function readMarker({ marker }: Pick<Layout, 'marker'>): Promise<Marker | Unavailable> {
  try {
    return await parseMarker(marker)
  } catch (error) {
    const code = codeOf(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') return { reason: `there is no marker ${marker}: is the disk mounted?` }
    const reason = `its marker ${marker} cannot be read: ${code ?? (error as Error).message}`
    return isExhaustion(error) ? { reason, isUnseen: true } : { reason }
  }
}

export async function parseMarker(path: string): Promise<Marker> {
  return schema.parse(JSON.parse(await readFile(path, 'utf8')))
}

/**
 * Makes a place a store: on explicit first use only, or an empty mount point would become one. What is a store already stays
 * as it is, whosever it is.
 *
 * @returns its UUID
 */
export async function createMarker(name: string, root: string, keeper?: Keeper): Promise<string> {
  const layout = layoutOf(root, root)
  const there = await readMarker(layout)
  if ('uuid' in there) return there.uuid
  try {
    await mustBeDirectory(root)
    await mkdir(layout.private, { mode: 0o700, recursive: true })
    await chmod(layout.private, 0o700)
    for (const directory of privateDirectories)
      await mkdir(join(layout.private, directory), { mode: 0o700, recursive: true })
    const marker: Marker = { uuid: randomUUID(), name, ...(keeper ? { keeper } : {}) }
    // Never in the place of another: of two first uses at once, one UUID and one keeper remain.
    await write(layout, marker, written => link(written, layout.marker))
    await syncDirectory(root)
    return marker.uuid
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw systemError(error, 'make a store of', root)
    const now = await readMarker(layout)
    if ('uuid' in now) return now.uuid
    throw new LibrarianError('Configuration', `Cannot make a store of ${root}: ${now.reason}`, {
      remedy: 'Mount the disk that belongs there, or put the marker back from a copy; it must not be made anew.',
    })
  }
}

/**
 * Writes a keeper into a marker that has none.
 *
 *   link CLAIM              exclusively: one of several catalogues gets so far
 *   read the marker again   one that came before may have ended by now
 *   rename CLAIM over it    whoever finds CLAIM of its own catalogue, after a crash, goes on from here
 *
 * @returns the keeper that counts; the store may be another's
 */
export async function claimMarker(layout: Layout, keeper: Keeper): Promise<Keeper> {
  const claim = join(layout.private, 'claim.json')
  const unkept = await parseMarker(layout.marker)
  if (unkept.keeper) return unkept.keeper
  try {
    await write(layout, { ...unkept, keeper }, written => link(written, claim))
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
    const other = await parseMarker(claim).catch(() => undefined)
    if (other?.keeper && other.keeper.catalogue !== keeper.catalogue) return other.keeper
  }
  const now = await parseMarker(layout.marker)
  if (now.keeper) {
    await rm(claim, { force: true })
    return now.keeper
  }
  await rename(claim, layout.marker).catch(error => {
    // Another process of this catalogue did it.
    if (codeOf(error) !== 'ENOENT') throw error
  })
  await syncDirectory(layout.private)
  return (await parseMarker(layout.marker)).keeper ?? keeper
}

/**
 * Puts a keeper in the place of whatever keeper there is. Who has the store open reads the marker at every step of its own.
 *
 * @returns whose it was
 */
export async function takeMarkerOver(layout: Layout, keeper: Keeper): Promise<Keeper | undefined> {
  try {
    const marker = await parseMarker(layout.marker)
    await write(layout, { ...marker, keeper }, written => rename(written, layout.marker))
    return marker.keeper
  } catch (error) {
    throw systemError(error, 'take over', layout.marker)
  }
}

/**
 * Gives the marker the life that comes, unless another has written one since it was looked at.
 *
 * @throws LibrarianError StoreUnavailable where the marker is of another line
 */
export async function renewMarker(layout: Layout, life: Life): Promise<void> {
  const marker = await parseMarker(layout.marker)
  const keeper = await life.announce(marker.keeper, layout.root)
  await write(layout, { ...marker, keeper }, async written => {
    const now = await parseMarker(layout.marker)
    // Another process of this catalogue has renewed it, which serves as well; or a copy has, which the look after this tells.
    if (now.keeper?.catalogue === marker.keeper?.catalogue && now.keeper?.life === marker.keeper?.life)
      await rename(written, layout.marker)
  })
}

/** Durable when it resolves. */
async function write(layout: Layout, marker: Marker, place: (written: string) => Promise<void>): Promise<void> {
  const written = join(layout.private, `.marker.${randomBytes(8).toString('hex')}`)
  try {
    const file = await open(written, 'wx', 0o600)
    try {
      await file.writeFile(`${JSON.stringify(marker)}\n`)
      await file.sync()
    } finally {
      await file.close()
    }
    await place(written)
  } finally {
    await rm(written, { force: true })
  }
  await syncDirectory(layout.private)
}

/** Never made here: a path that is not there may be that of a disk that is not mounted. */
async function mustBeDirectory(root: string): Promise<void> {
  const found = await stat(root).catch((error: NodeJS.ErrnoException) => error)
  if (!(found instanceof Error)) {
    if (found.isDirectory()) return
    throw new LibrarianError('Configuration', `Cannot make a store of ${root}: it must be a directory, it is none`, {
      remedy: 'Correct its `store_path`, or move away what lies there.',
    })
  }
  if (found.code !== 'ENOENT') throw found
  throw new LibrarianError('Configuration', `Cannot make a store of ${root}: it does not exist`, {
    remedy: `Mount its disk, or make the directory: mkdir -p ${shellWord(root)}`,
  })
}

/** As a shell takes it for one word. */
function shellWord(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`
}
