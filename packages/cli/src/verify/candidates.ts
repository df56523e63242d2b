import { basename, join, resolve } from 'node:path'
import type { Context } from '../context.ts'
import type { BadRow, EngineDoor, Entry } from '../engine.ts'
import { readManifest } from '../get/entries.ts'
import { withoutSecrets } from '../text.ts'

/** A file that is to be compared with something. */
export interface Candidate {
  /** As it is shown. */
  readonly name: string
  /** Undefined when the row of the list cannot be used. */
  readonly path: string | undefined
  readonly checksums: Entry['checksums']
  readonly size?: number | undefined
  /** Why the row cannot be used. */
  readonly error?: unknown
}

export async function* filesOf(
  files: readonly string[],
  checksums: Entry['checksums'],
  size: number | undefined,
): AsyncGenerator<Candidate> {
  for (const file of files) yield { name: file, path: resolve(file), checksums, size }
}

/** The files that a list names; names that would lead out of the directory are refused as `get` refuses them. */
export async function* candidatesOf(
  list: string,
  directory: string,
  context: Context,
  door: EngineDoor,
): AsyncGenerator<Candidate> {
  for await (const rows of readManifest(list, context, door)) {
    for (const row of rows) yield candidateOf(row, directory, door)
  }
}

function candidateOf(row: Entry | BadRow, directory: string, door: EngineDoor): Candidate {
  if ('error' in row) return { name: `row ${row.index + 1}`, path: undefined, checksums: [], error: row.error }
  const url = row.uris[0]
  const { checksums, size } = row
  try {
    const appended = url === undefined ? '' : door.fileNameFor({ url })
    const relative = row.path === undefined ? appended : row.path.endsWith('/') ? join(row.path, appended) : row.path
    return { name: relative, path: door.resolveTarget(directory, relative), checksums, size }
  } catch (error) {
    return { name: row.path ?? basename(withoutSecrets(url ?? '')), path: undefined, checksums, size, error }
  }
}
