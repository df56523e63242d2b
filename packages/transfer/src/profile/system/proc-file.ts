/** A file of /proc that stays open and is read anew each time, into a buffer that all of them share. */
import { closeSync, openSync, readSync } from 'node:fs'

let buffer = Buffer.allocUnsafe(16_384)

export interface ProcFile {
  /** Undefined when it cannot be read any more: the process that it speaks of is gone. */
  read(): string | undefined
  close(): void
}

/** Undefined where it cannot be opened: there is no /proc, or not for us. */
export function openProcFile(path: string): ProcFile | undefined {
  let fd: number
  try {
    fd = openSync(path, 'r')
  } catch {
    return undefined
  }
  return {
    read() {
      try {
        const length = readWhole(fd)
        return buffer.toString('latin1', 0, length)
      } catch {
        return undefined
      }
    },
    close: () => closeSync(fd),
  }
}

/** Less than this was read: then it was the end, and not a page that had no room for one more line. */
const surelyTheEnd = 2048

/** From the start each time: that is what makes the kernel tell anew. A read may end after any page. */
function readWhole(fd: number): number {
  for (let length = 0; ; ) {
    const count = readSync(fd, buffer, length, buffer.length - length, length)
    length += count
    if (length === buffer.length) buffer = Buffer.concat([buffer], buffer.length * 2)
    else if (count < surelyTheEnd) return length
  }
}
