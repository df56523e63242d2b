/** Where names lie to each other, for stores that have no directories of their own. */

/** The name above that is taken; undefined when there is none. A file lies in nothing but directories. */
export function takenAbove(name: string, isTaken: (name: string) => boolean): string | undefined {
  for (let at = name.lastIndexOf('/'); at > 0; at = name.lastIndexOf('/', at - 1)) {
    const above = name.slice(0, at)
    if (isTaken(above)) return above
  }
  return undefined
}

/** Why a member's path is no name that others could use; undefined: it is one. */
export function whyNoMember(path: string): string | undefined {
  for (const segment of path.split('/')) {
    if (segment === '' || segment === '.' || segment === '..') return 'it has an empty or dotted part'
    if (/[\u0000-\u001f\u007f]/.test(segment)) return 'it has control characters'
    if (Buffer.byteLength(segment) > 255) return 'it has a part of more than 255 bytes'
  }
  return Buffer.byteLength(path) > 4096 ? 'it has more than 4096 bytes' : undefined
}
