/** Appends whole lines to a file that other processes append to as well, and that may end in the middle of a line. */
import { type FileHandle, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { strikeOut } from './strike-out.ts'
import { syncDirectory } from './sync-directory.ts'
import { codeOf } from './system-error.ts'

/** Ends a line that is torn: a power cut, a full disk or a kill left it without its end. No name has this character. */
const TORN = '\u0001'

/** So much goes in one call of the system, which the kernel puts behind what other processes append, never into it. */
const PIECE = 1 << 20

/** No line is longer: names have 4096 bytes at most. */
const REACH = 64 << 10

/** Durable when it resolves. Each line is there at least once, as a line of its own. */
export async function appendLines(path: string, lines: readonly string[]): Promise<void> {
  for (const piece of piecesOf(lines)) while (!(await appendPiece(path, piece))) {}
}

/** Makes a torn last line one that nobody takes for a whole one. */
export async function endTornLine(path: string): Promise<void> {
  const file = await open(path, 'r').catch(error => {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  })
  if (!file) return
  const isEnded = await isAtLineStart(file, (await file.stat()).size).finally(() => file.close())
  if (!isEnded) await appendPiece(path, '')
  else await strikeTorn(path, 0, '')
}

function piecesOf(lines: readonly string[]): string[] {
  const pieces: string[] = []
  let piece = ''
  for (const line of lines) {
    if (piece.length + line.length > PIECE) {
      pieces.push(piece)
      piece = ''
    }
    piece += line
  }
  return [...pieces, piece].filter(each => each !== '')
}

/** False: what another process left torn while we wrote spoiled our first line. */
async function appendPiece(path: string, piece: string): Promise<boolean> {
  const file = await open(path, 'a+', 0o600)
  try {
    const { size } = await file.stat()
    await writeWhole(file, (await isAtLineStart(file, size)) ? piece : `${TORN}\n${piece}`)
    await file.datasync()
    if (size === 0) await syncDirectory(dirname(path))
    return await strikeTorn(path, size, piece)
  } catch (error) {
    // What came of it is known to nobody; the next to append sees what the disk has.
    if (codeOf(error) !== undefined) await file.sync().catch(() => {})
    throw error
  } finally {
    await file.close()
  }
}

async function writeWhole(file: FileHandle, text: string): Promise<void> {
  const bytes = Buffer.from(text)
  // A short write is a full disk, which the next one says, or a signal.
  for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at, bytes.length - at)).bytesWritten
}

/**
 * Looks at what was written since, and some lines before. By a handle of its own: that is when NFS asks what others wrote.
 * Resolves to whether our lines are there.
 */
async function strikeTorn(path: string, since: number, piece: string): Promise<boolean> {
  const file = await open(path, 'r')
  let seen: { isThere: boolean; torn: number[] }
  try {
    const { size } = await file.stat()
    const from = Math.max(0, (piece === '' ? size : since) - REACH)
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - from), 0, size - from, from)
    const skipped = from === 0 ? 0 : buffer.indexOf(0x0a) + 1
    const { isThere, torn } = lookAt(buffer.subarray(skipped, bytesRead), piece, since - from - skipped)
    seen = { isThere, torn: torn.map(at => at + from + skipped) }
  } finally {
    await file.close()
  }
  await strikeOut(path, seen.torn)
  return seen.isThere
}

/** Where torn lines begin, and whether a piece stands behind the end of a line, not before a place. */
export function lookAt(text: Buffer, piece: string, since: number): { isThere: boolean; torn: number[] } {
  const torn: number[] = []
  for (let end = text.indexOf(`${TORN}\n`); end >= 0; end = text.indexOf(`${TORN}\n`, end + 2)) {
    const start = lineStart(text, end)
    if (text[start] !== 0x23) torn.push(start)
  }
  if (piece === '') return { isThere: true, torn }
  const bytes = Buffer.from(piece)
  let at = text.indexOf(bytes, Math.max(0, since))
  for (; at >= 0; at = text.indexOf(bytes, at + 1)) {
    const start = lineStart(text, at)
    if (start === at) return { isThere: true, torn }
    // Our first line continues a torn one: together they may read like a whole one.
    if (text[start] !== 0x23) torn.push(start)
  }
  return { isThere: false, torn }
}

function lineStart(text: Buffer, at: number): number {
  return at === 0 ? 0 : text.lastIndexOf(0x0a, at - 1) + 1
}

async function isAtLineStart(file: FileHandle, size: number): Promise<boolean> {
  if (size === 0) return true
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1)
  return buffer[0] === 0x0a
}
