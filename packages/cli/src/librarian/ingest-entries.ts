/** Rows of a local list as a librarian takes them. */
import { createReadStream } from 'node:fs'
import type { EngineDoor, Entry } from '../engine.ts'
import { ProgramError } from '../errors.ts'
import { systemReason } from '../system-error.ts'

export interface IngestEntry {
  readonly name: string
  readonly uri: string
  readonly mirrors: string[]
  readonly size: number | undefined
  readonly checksum: string | undefined
}

/** What librarians know, the strongest first (librarian 6.1). */
const functions = [
  ['sha512', 'sha512'],
  ['sha256', 'sha256'],
  ['xxh128', 'xxh3'],
  ['sha1', 'sha1'],
  ['md5', 'md5'],
] as const

/** A row that cannot be used ends it: what is not in the job would be missed by nobody. */
export async function* ingestEntries(list: string, door: EngineDoor): AsyncGenerator<IngestEntry> {
  const bytes = createReadStream(list).on('error', () => {})
  try {
    for await (const rows of door.parseManifest(bytes)) {
      for (const row of rows) {
        if (door.isBadRow(row)) throw row.error
        yield entryOf(row, list, door)
      }
    }
  } catch (error) {
    if (error instanceof Error && 'syscall' in error) {
      throw new ProgramError('Usage', `Cannot read the list ${list}: ${systemReason(error)}`, { cause: error })
    }
    throw error
  }
}

function entryOf(row: Entry, list: string, door: EngineDoor): IngestEntry {
  const { uris, path, checksums, size, line } = row
  const [uri, ...mirrors] = uris
  if (uri === undefined) throw refuse(list, line, 'it names no address')
  const isDirectory = path === undefined || path.endsWith('/')
  const name = isDirectory ? `${path ?? ''}${door.fileNameFor({ url: uri })}` : path
  return { name, uri, mirrors, size, checksum: checksumOf(checksums) }
}

function checksumOf(checksums: Entry['checksums']): string | undefined {
  for (const [algorithm, name] of functions) {
    const found = checksums.find(each => each.algorithm === algorithm)
    if (found) return `${name}:::${found.value}`
  }
  return undefined
}

function refuse(list: string, line: number | undefined, why: string): ProgramError {
  const at = line === undefined ? '' : `, line ${line}`
  return new ProgramError('Usage', `Cannot use the list ${list}${at}: ${why}.`)
}
