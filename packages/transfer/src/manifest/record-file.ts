import { constants } from 'node:fs'
import { type FileHandle, mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { diskError } from '../disk-error.ts'
import { openOrdinary } from '../ordinary-file.ts'

export interface RecordFile {
  /** The records that are there. */
  readonly known: Iterable<Buffer>
  /** Appends. */
  readonly handle: FileHandle
}

/**
 * Opens a file of records of `length` bytes, one behind the other, which are only ever appended. A kill tears the last one
 * at worst: it is cut off, or all that follow would be shifted. Directories are made.
 */
export async function openRecordFile(path: string, length: number): Promise<RecordFile> {
  try {
    await mkdir(dirname(path), { recursive: true })
    const handle = await openOrdinary(path, constants.O_RDWR | constants.O_CREAT | constants.O_APPEND)
    const bytes = await handle.readFile()
    const whole = bytes.length - (bytes.length % length)
    // Another run may be appending: what is whole is left alone.
    if (whole < bytes.length) await handle.truncate(whole)
    return { known: recordsOf(bytes.subarray(0, whole), length), handle }
  } catch (error) {
    throw diskError(error, 'write', path)
  }
}

function* recordsOf(bytes: Buffer, length: number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length)
}
