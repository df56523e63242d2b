import { fchmodSync, readdirSync, rmdirSync, unlinkSync } from 'node:fs'
import type { Held } from './held.ts'
import { codeOf } from './system-error.ts'

/** Removes what is there, a file or a tree with all in it, without ever leaving the directory. Nothing is success. */
export function removeAll(directory: Held, leaf: string | Buffer): void {
  const path = join(directory, leaf)
  try {
    unlinkSync(path)
    return
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return
    if (codeOf(error) !== 'EISDIR' && codeOf(error) !== 'EPERM') throw error
  }
  {
    using inside = enter(directory, leaf)
    // What was committed is read-only, and only the mode stands in its owner's way.
    fchmodSync(inside.fd, 0o700)
    for (const name of readdirSync(inside.path, { encoding: 'buffer' })) removeAll(inside, name)
  }
  rmdirSync(path)
}

/** Names that are no UTF-8 are removed too. */
function join(directory: Held, leaf: string | Buffer): string | Buffer {
  return typeof leaf === 'string' ? directory.at(leaf) : Buffer.concat([Buffer.from(directory.at('')), leaf])
}

function enter(directory: Held, leaf: string | Buffer): Held {
  return directory.enter(leaf as string)
}
