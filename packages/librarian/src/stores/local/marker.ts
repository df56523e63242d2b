/** The file by which a disk is known: without it, or with another, there is no store here (reliability B4). */
import { randomUUID } from 'node:crypto'
import { chmod, mkdir, open, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { LibrarianError } from '@arriero/api'
import { z } from 'zod'
import { type Layout, layoutOf, privateDirectories } from './layout.ts'
import { syncDirectory } from './sync-directory.ts'
import { codeOf, systemError } from './system-error.ts'

const schema = z.object({ uuid: z.uuid(), name: z.string() })

export type Marker = z.infer<typeof schema>

/** Why there is none is a reason for people. */
export async function readMarker({ marker }: Pick<Layout, 'marker'>): Promise<Marker | { readonly reason: string }> {
  try {
    return schema.parse(JSON.parse(await readFile(marker, 'utf8')))
  } catch (error) {
    const code = codeOf(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') return { reason: `there is no marker ${marker}: is the disk mounted?` }
    return { reason: `its marker ${marker} cannot be read: ${code ?? (error as Error).message}` }
  }
}

/**
 * Makes a place a store: on explicit first use only, or an empty mount point would become one. What is a store already stays
 * as it is.
 *
 * @returns its UUID
 */
export async function createMarker(name: string, root: string): Promise<string> {
  const layout = layoutOf(root, root)
  const there = await readMarker(layout)
  if ('uuid' in there) return there.uuid
  try {
    await mustBeDirectory(root)
    await mkdir(layout.private, { mode: 0o700, recursive: true })
    await chmod(layout.private, 0o700)
    for (const directory of privateDirectories)
      await mkdir(join(layout.private, directory), { mode: 0o700, recursive: true })
    const marker: Marker = { uuid: randomUUID(), name }
    // Exclusively: of two first uses at once, one UUID remains.
    const file = await open(layout.marker, 'wx', 0o600)
    await file.writeFile(`${JSON.stringify(marker)}\n`)
    await file.sync()
    await file.close()
    await syncDirectory(layout.private)
    await syncDirectory(root)
    return marker.uuid
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return createMarker(name, root)
    throw systemError(error, 'make a store of', root)
  }
}

async function mustBeDirectory(root: string): Promise<void> {
  const isDirectory = await stat(root).then(
    stats => stats.isDirectory(),
    () => false,
  )
  if (!isDirectory)
    throw new LibrarianError('Configuration', `Cannot make a store of ${root}: it must be a directory, it is none`)
}
