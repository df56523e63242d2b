import { open } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { LibrarianError } from '@arriero/api'
import type { Environment } from './settings-file.ts'

/** Longer than any password (reliability 6). */
const MOST_BYTES = 1024

/**
 * The first line of a file that only its owner, and at most its group, can read: as containers are given secrets. The mode is asked of the descriptor that is read, so that nothing
 * can be put in its place in between.
 */
export async function readPasswordFile(path: string, env: Environment): Promise<string> {
  const file = resolve(path.replace(/^~(?=\/)/, join(env.HOME ?? homedir())))
  const handle = await open(file, 'r').catch(cause => {
    throw new LibrarianError('Configuration', `Cannot read the password file ${file}: ${(cause as Error).message}`, {
      remedy: 'Check the path and its permissions.',
      cause,
    })
  })
  try {
    const { mode, size } = await handle.stat()
    if (process.platform !== 'win32' && (mode & 0o037) !== 0) {
      throw new LibrarianError('Configuration', `The password file ${file} can be read by others.`, {
        remedy: `Say: chmod 600 ${file}`,
      })
    }
    if (size > MOST_BYTES) refuse(file, `it has ${size} bytes, at most ${MOST_BYTES} are a password`)
    const line = (await handle.readFile('utf8')).split(/\r?\n/)[0] ?? ''
    if (line === '') refuse(file, 'its first line is empty')
    return line
  } finally {
    await handle.close()
  }
}

function refuse(file: string, why: string): never {
  throw new LibrarianError('Configuration', `Cannot use the password file ${file}: ${why}.`, {
    remedy: 'Write the password alone into its first line.',
  })
}
