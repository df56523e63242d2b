import type { FileHandle } from 'node:fs/promises'

/** A line, where it begins, and where the next one does; bytes. */
export interface LineAt {
  readonly text: string
  readonly start: number
  readonly end: number
}

/** The lines of a file that are ended by a newline: what a kill tore is none. */
export async function* wholeLines(file: FileHandle): AsyncGenerator<LineAt, void, undefined> {
  let rest = Buffer.alloc(0)
  let start = 0
  const piece = Buffer.allocUnsafe(1 << 20)
  for (let at = 0; ; ) {
    const { bytesRead } = await file.read(piece, 0, piece.length, at)
    if (bytesRead === 0) return
    at += bytesRead
    const bytes = rest.length > 0 ? Buffer.concat([rest, piece.subarray(0, bytesRead)]) : piece.subarray(0, bytesRead)
    let from = 0
    for (let to = bytes.indexOf(10); to !== -1; to = bytes.indexOf(10, from)) {
      const end = start + to + 1 - from
      yield { text: bytes.toString('utf8', from, to), start, end }
      start = end
      from = to + 1
    }
    rest = Buffer.from(bytes.subarray(from))
  }
}
