import { LibrarianError } from '@arriero/api'
import type { DigestMessage } from './digest.worker.ts'

export interface DigestOptions {
  readonly signal: AbortSignal
  /** Bytes that were read. */
  readonly onRead: (bytes: number) => void
}

/** The wire form of a file’s SHA-256, reckoned in a thread of its own. @throws the signal’s reason */
export async function digestFile(file: File, { signal, onRead }: DigestOptions): Promise<string> {
  signal.throwIfAborted()
  const worker = new Worker(new URL('./digest.worker.ts', import.meta.url), { type: 'module' })
  try {
    return await new Promise<string>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true })
      worker.addEventListener('error', ({ message }) => reject(unreadable(file, message)))
      worker.addEventListener('message', ({ data }: MessageEvent<DigestMessage>) => {
        if (data.kind === 'read') onRead(data.bytes)
        else if (data.kind === 'digest') resolve(`sha256:::${data.hex}`)
        else reject(unreadable(file, data.message))
      })
      worker.postMessage(file)
    })
  } finally {
    worker.terminate()
  }
}

function unreadable(file: File, why: string): LibrarianError {
  return new LibrarianError('BadRequest', `Cannot read ${file.name}: ${why}`, {
    remedy: 'Check that the file is still there and is not being written, then try again.',
  })
}
