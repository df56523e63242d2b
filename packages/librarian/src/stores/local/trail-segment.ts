/** Segments of a local store's trail, read. */
import { createReadStream } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { basename } from 'node:path'
import { parseLine, type SegmentEnd, START, type WrittenLine } from '../trail-line.ts'

export interface Judgement {
  /** So many lines from the start on are believed. */
  readonly believed: number
  /** The first line that is not, and why; undefined: all are. */
  readonly broken: { readonly number: number; readonly reason: string } | undefined
  /** The number of a last line that is none: its write was cut off. */
  readonly torn: number | undefined
}

/**
 * Reads a whole segment, because its end says whether its beginning may be believed: where a later segment knows another end,
 * somebody has written this one anew.
 *
 * @param known what later segments say of its lines: SHA-256 by number
 */
export async function judgeSegment(path: string, known: ReadonlyMap<number, string>): Promise<Judgement> {
  let number = 0
  let previous = START
  /** Up to here a later segment says the same. */
  let proven = 0
  for await (const { line, reason, isLast } of readLines(path)) {
    number += 1
    if (!line) {
      // Of what a later segment knows, the write was not cut off.
      if (isLast && !reason && [...known.keys()].every(one => one < number)) {
        return { believed: number - 1, broken: undefined, torn: number }
      }
      return brokenAt(number, reason ?? 'it must be a record with its own digest, it is none')
    }
    if (line.number !== number || line.previous !== previous) {
      return brokenAt(number, 'it must name the line before it, it names another')
    }
    previous = line.sha256
    const expected = known.get(number)
    if (expected === undefined) continue
    if (expected !== previous) return brokenAt(proven + 1, `a later segment knows line ${number} with another digest`)
    proven = number
  }
  const all = Math.max(0, ...known.keys())
  if (all <= number) return { believed: number, broken: undefined, torn: undefined }
  return brokenAt(number + 1, `a later segment knows ${all} lines of it, the rest is not there`)
}

function brokenAt(number: number, reason: string): Judgement {
  return { believed: number - 1, broken: { number, reason }, torn: undefined }
}

export interface ReadLine {
  /** Undefined: it is none, or not as it was written. */
  readonly line: WrittenLine | undefined
  /** Why the disk did not give it. Nothing follows. */
  readonly reason?: string
  readonly isLast: boolean
}

/** @param piece bytes to read at once */
export async function* readLines(path: string, piece = 1 << 20): AsyncGenerator<ReadLine> {
  const lines = textsIn(path, piece)
  try {
    for (let next = await lines.next(); !next.done; ) {
      const text = next.value
      next = await lines.next()
      yield { line: text === undefined ? undefined : parseLine(text), isLast: next.done === true }
    }
  } catch (error) {
    yield { line: undefined, reason: `it cannot be read: ${(error as Error).message}`, isLast: true }
  } finally {
    await lines.return(undefined)
  }
}

/** What the first line says of other segments. */
export async function endsNamedBy(path: string): Promise<readonly SegmentEnd[]> {
  for await (const { line } of readLines(path, 65_536)) return line?.after ?? []
  return []
}

/** The last line that is as it was written, durable by now: a power cut must not take away what others name. */
export async function endOf(path: string): Promise<SegmentEnd | undefined> {
  const file = await open(path, 'r')
  try {
    const end = await lastLine(file)
    await file.datasync()
    return end && { segment: basename(path), number: end.number, sha256: end.sha256 }
  } finally {
    await file.close()
  }
}

/** From the end backwards: a line with the manifest of a large tree is long. */
async function lastLine(file: FileHandle): Promise<WrittenLine | undefined> {
  const { size } = await file.stat()
  for (let length = 65_536; ; length *= 8) {
    const start = Math.max(0, size - length)
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(size - start), position: start })
    const texts = buffer.toString('utf8', 0, bytesRead).split('\n').slice(0, -1)
    for (const text of (start === 0 ? texts : texts.slice(1)).reverse()) {
      const line = parseLine(text)
      if (line) return line
    }
    if (start === 0) return undefined
  }
}

/** Undefined for a last line without its line feed. */
async function* textsIn(path: string, highWaterMark: number): AsyncGenerator<string | undefined> {
  let rest: Buffer[] = []
  for await (const piece of createReadStream(path, { highWaterMark }) as AsyncIterable<Buffer>) {
    let start = 0
    for (let end = piece.indexOf(10); end !== -1; end = piece.indexOf(10, start)) {
      yield Buffer.concat([...rest, piece.subarray(start, end)]).toString()
      rest = []
      start = end + 1
    }
    if (start < piece.length) rest.push(piece.subarray(start))
  }
  if (rest.length > 0) yield undefined
}
