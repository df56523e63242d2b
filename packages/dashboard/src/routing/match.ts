/** Finding the page of a path. */

export interface Match {
  /** What the `*` at the end of the pattern stands for, decoded. Empty without one. */
  readonly rest: string
}

/** `/files` is itself alone, `/files/*` all below it. Undefined: it is another’s, or no text could be read from it. */
export function matchPath(pattern: string, path: string): Match | undefined {
  if (!pattern.endsWith('/*')) return trimmed(path) === trimmed(pattern) ? { rest: '' } : undefined
  const prefix = pattern.slice(0, -1)
  if (!path.startsWith(prefix) || path.length === prefix.length) return undefined
  try {
    return { rest: decodeURIComponent(path.slice(prefix.length)) }
  } catch {
    return undefined
  }
}

/** The path of what has a name with slashes: `/files` and `night 1/a.fits` give `/files/night%201/a.fits`. */
export function pathOf(prefix: string, name: string): string {
  return `${prefix}/${name.split('/').map(encodeURIComponent).join('/')}`
}

function trimmed(path: string): string {
  return path.replace(/\/+$/, '')
}
