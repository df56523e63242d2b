/**
 * A file of log lines: written behind those who log, put aside by its rotation, begun anew where somebody else has moved it
 * away (so that logrotate needs no signal). What cannot be written is lost, counted and told; nobody waits for it.
 */
import { type FileHandle, mkdir, open, rename, stat } from 'node:fs/promises'
import { dirname, extname } from 'node:path'
import type { Clock } from '../clock.ts'
import { endOf, type Rotation } from './rotation.ts'

export interface LogFileOptions {
  readonly rotation: Rotation
  readonly clock: Pick<Clock, 'wallNow'>
  /** Told of what went wrong, once until it goes well again. */
  readonly onProblem: (message: string) => void
}

export interface LogSink {
  /** A whole line. Never throws, never waits. */
  write(line: string): void
  /** When what was written is where it shall be, or was given up. */
  close(): Promise<void>
}

/** Of lines that wait for a slow disk. */
const MOST_WAITING = 8 << 20

export function createLogFile(path: string, { rotation, clock, onProblem }: LogFileOptions): LogSink {
  let waiting: string[] = []
  let bytes = 0
  let lost = 0
  let isTold = false
  let writing: Promise<void> | undefined
  let file: OpenLog | undefined

  function write(line: string): void {
    if (bytes + line.length > MOST_WAITING) {
      lost++
      return
    }
    waiting.push(line)
    bytes += line.length
    writing ??= writeAll().finally(() => {
      writing = undefined
    })
  }

  async function writeAll(): Promise<void> {
    // Lines of one turn of the event loop go together.
    await new Promise(resolve => setImmediate(resolve))
    while (waiting.length > 0) {
      const lines = waiting
      waiting = []
      bytes = 0
      try {
        await put(lines)
        isTold = false
      } catch (error) {
        lost += lines.length
        await file?.handle.close().catch(() => {})
        file = undefined
        tell(error)
      }
    }
  }

  async function put(lines: readonly string[]): Promise<void> {
    const text = lines.join('')
    const size = Buffer.byteLength(text)
    file = await ready(file, size)
    const note =
      lost > 0
        ? `${JSON.stringify({ level: 'warn', msg: `${lost} lines of the log were lost before this one` })}\n`
        : ''
    await file.handle.appendFile(note + text)
    file.size += size
    lost = 0
  }

  async function ready(known: OpenLog | undefined, coming: number): Promise<OpenLog> {
    const current = known && (await isInPlace(path, known)) ? known : await reopen(known)
    const isFull = rotation.by === 'size' && current.size > 0 && current.size + coming > rotation.bytes
    const end = endOf(rotation, current.begun)
    if (!isFull && (end === undefined || clock.wallNow() < end)) return current
    await current.handle.close()
    file = undefined
    await rename(path, asideOf(path, clock.wallNow()))
    return await openLog(path, clock)
  }

  async function reopen(known: OpenLog | undefined): Promise<OpenLog> {
    await known?.handle.close()
    file = undefined
    return await openLog(path, clock)
  }

  function tell(error: unknown): void {
    if (isTold) return
    isTold = true
    onProblem(`The log file ${path} cannot be written: ${(error as NodeJS.ErrnoException).code ?? String(error)}`)
  }

  return {
    write,
    async close() {
      while (writing) await writing
      await file?.handle.close().catch(() => {})
      file = undefined
    },
  }
}

interface OpenLog {
  readonly handle: FileHandle
  readonly inode: number
  /** ms since 1970. */
  readonly begun: number
  size: number
}

async function openLog(path: string, clock: Pick<Clock, 'wallNow'>): Promise<OpenLog> {
  await mkdir(dirname(path), { recursive: true })
  // Not for everybody: names of files and users stand in it.
  const handle = await open(path, 'a', 0o640)
  const { ino, size, birthtimeMs } = await handle.stat()
  const begun = size > 0 && birthtimeMs > 0 ? birthtimeMs : clock.wallNow()
  return { handle, inode: ino, size, begun }
}

async function isInPlace(path: string, { inode }: OpenLog): Promise<boolean> {
  const there = await stat(path).catch(() => undefined)
  return there?.ino === inode
}

/** `server.log` becomes `server.2026-11-21T190003123Z.log`. */
function asideOf(path: string, now: number): string {
  const ending = extname(path)
  const stamp = new Date(now).toISOString().replace(/[:.]/g, '')
  return `${path.slice(0, path.length - ending.length)}.${stamp}${ending}`
}
