/** Bytes to stdout: in order, all of them, and never more in memory than the one view that is being written. */
import { write } from 'node:fs'
import { ProgramError } from './errors.ts'
import { systemReason } from './system-error.ts'
import { brokenPipe } from './terminal.ts'

const stdoutFd = 1

/** How long to wait when a pipe that somebody made non-blocking is full. */
const fullPipeMs = 5

/**
 * Writes the whole view. By descriptor and off the event loop: `process.stdout` blocks the loop while a pipe is full, and
 * then nothing else of the transfer moves.
 */
export async function writeAll(bytes: Uint8Array, fd = stdoutFd): Promise<void> {
  for (let at = 0; at < bytes.byteLength; ) at += await writeSome(fd, bytes, at)
}

function writeSome(fd: number, bytes: Uint8Array, at: number): Promise<number> {
  return new Promise((resolve, reject) => {
    write(fd, bytes, at, bytes.byteLength - at, null, (error, written) => {
      if (!error) resolve(written)
      else if (error.code === 'EAGAIN') setTimeout(() => resolve(0), fullPipeMs)
      else if (error.code === 'EPIPE') reject(brokenPipe())
      else reject(writeFailure(error))
    })
  })
}

function writeFailure(error: NodeJS.ErrnoException): ProgramError {
  const code = error.code === 'ENOSPC' ? 'NoSpace' : 'Disk'
  return new ProgramError(code, `Cannot write to stdout: ${systemReason(error)}`, {
    remedy: 'Check where the output goes.',
    cause: error,
  })
}
