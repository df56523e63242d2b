import { fchmodSync, fchownSync, writeSync } from 'node:fs'
import type { Context } from './context.ts'
import { codeOf } from './system-error.ts'

/** @param position in the file; default: where it was written last */
export function writeWhole(fd: number, bytes: Uint8Array, position?: number): void {
  for (let at = 0; at < bytes.length; ) {
    at += writeSync(fd, bytes, at, bytes.length - at, position === undefined ? null : position + at)
  }
}

/** Its bytes are written: it gets the owner and the mode of what is committed. */
export function finishFile(fd: number, { modes }: Context): void {
  own(fd, modes.owner)
  fchmodSync(fd, modes.file)
}

export function own(fd: number, owner: Context['modes']['owner']): void {
  if (!owner) return
  try {
    fchownSync(fd, owner.uid, owner.gid)
  } catch (error) {
    // It is ours as it is; a group that we are not in is not to be had.
    if (codeOf(error) !== 'EPERM') throw error
  }
}
