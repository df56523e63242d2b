import type { Fields } from './packets.ts'

/** What a server says of a file; servers may leave out anything. */
export interface Attributes {
  readonly size: number | undefined
  readonly kind: 'file' | 'directory' | 'link' | 'other' | undefined
  /** Whole seconds since 1970. */
  readonly mtime: number | undefined
}

const FLAG = { size: 1, owner: 2, permissions: 4, times: 8, extended: 0x8000_0000 } as const

export function readAttributes(fields: Fields): Attributes {
  const flags = fields.number()
  const has = (flag: number) => (flags & flag) !== 0
  const size = has(FLAG.size) ? fields.wide() : undefined
  if (has(FLAG.owner)) {
    fields.number()
    fields.number()
  }
  const kind = has(FLAG.permissions) ? kindOf(fields.number()) : undefined
  if (has(FLAG.times)) fields.number()
  const mtime = has(FLAG.times) ? fields.number() : undefined
  if (has(FLAG.extended)) {
    for (let left = fields.number(); left > 0; left--) {
      fields.string()
      fields.string()
    }
  }
  return { size, kind, mtime }
}

/** The type in the upper bits of a mode (POSIX, sys/stat.h); a mode without one says nothing. */
function kindOf(mode: number): Attributes['kind'] {
  switch (mode & 0o170000) {
    case 0o100000:
      return 'file'
    case 0o040000:
      return 'directory'
    case 0o120000:
      return 'link'
    case 0:
      return undefined
    default:
      return 'other'
  }
}
