/**
 * Ids of objects in DRS: the path of a file, a tree, or what lies in one, as base64url of its UTF-8. So a path has one id and
 * an id one path, no id has a slash or anything else that a URL, a proxy or a compact identifier would read differently, and
 * nothing has to be kept for it.
 */
export function idOfPath(path: string): string {
  return Buffer.from(path, 'utf8').toString('base64url')
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Undefined: not the id of any path. Only the one spelling counts that `idOfPath` gives. */
export function pathOfId(id: string): string | undefined {
  if (!/^[A-Za-z0-9_-]+$/.test(id)) return undefined
  try {
    const path = utf8.decode(Buffer.from(id, 'base64url'))
    return idOfPath(path) === id ? path : undefined
  } catch {
    return undefined
  }
}
