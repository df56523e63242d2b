import { LibrarianError } from '@arriero/api'

/**
 * The name in a URL's path, decoded exactly once, segment by segment: an encoded slash is no separator, and so no part of a
 * name either. What a name may be is not decided here.
 *
 * @param path what follows the route's prefix, as it was sent
 * @throws LibrarianError BadName
 */
export function nameFromPath(path: string): string {
  const segments = path.split('/').map(decode)
  if (segments.some(segment => segment === '' || segment === '.' || segment === '..' || /[/\0]/.test(segment))) {
    throw new LibrarianError(
      'BadName',
      `Cannot read a name from ${JSON.stringify(path)}: its parts must be those of a name`,
    )
  }
  return segments.join('/')
}

/** For a URL. */
export function pathOfName(name: string): string {
  return name.split('/').map(encodeURIComponent).join('/')
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    throw new LibrarianError('BadName', `Cannot read a name from ${JSON.stringify(segment)}: it must be encoded UTF-8`)
  }
}
