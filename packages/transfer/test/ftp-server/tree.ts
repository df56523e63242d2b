/** The files of a test server: absolute paths, bytes as characters. */
export interface ServedFile {
  content: Uint8Array
  /** Milliseconds since 1970. */
  time: number
}

export interface TreeEntry {
  readonly name: string
  readonly file: ServedFile | undefined
  /** Where a symbolic link leads, relative to its directory. */
  readonly link?: string | undefined
}

export class Tree {
  readonly files = new Map<string, ServedFile>()
  /** By absolute path. */
  readonly links = new Map<string, string>()
  readonly directories = new Set<string>(['/'])

  /** Paths are text here. */
  put(path: string, content: Uint8Array, time = Date.UTC(2024, 1, 29, 12, 34, 56)): ServedFile {
    return this.putBytes(Buffer.from(path, 'utf8').toString('latin1'), content, time)
  }

  putBytes(path: string, content: Uint8Array, time: number): ServedFile {
    const file = { content, time }
    this.files.set(path, file)
    for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1))
      this.directories.add(path.slice(0, at))
    return file
  }

  file(path: string): ServedFile | undefined {
    return this.files.get(this.followed(path))
  }

  isDirectory(path: string): boolean {
    return this.directories.has(this.followed(path))
  }

  entries(path: string): TreeEntry[] {
    const directory = this.followed(path)
    const prefix = directory === '/' ? '/' : `${directory}/`
    const isHere = (one: string) => one !== '/' && one.startsWith(prefix) && !one.slice(prefix.length).includes('/')
    const name = (one: string) => one.slice(prefix.length)
    return [
      ...[...this.files].filter(([one]) => isHere(one)).map(([one, file]) => ({ name: name(one), file })),
      ...[...this.directories].filter(isHere).map(one => ({ name: name(one), file: undefined })),
      ...[...this.links]
        .filter(([one]) => isHere(one))
        .map(([one, link]) => ({ name: name(one), file: undefined, link })),
    ]
  }

  /** Where links on the way lead. */
  followed(path: string): string {
    for (const [link, target] of this.links) {
      if (path === link || path.startsWith(`${link}/`)) {
        return this.followed(absolute(link.slice(0, link.lastIndexOf('/')) || '/', target) + path.slice(link.length))
      }
    }
    return path
  }
}

/** An argument as an absolute path without a final slash. */
export function absolute(directory: string, path: string): string {
  const steps: string[] = []
  for (const step of (path.startsWith('/') ? path : `${directory}/${path}`).split('/')) {
    if (step === '..') steps.pop()
    else if (step !== '' && step !== '.') steps.push(step)
  }
  return `/${steps.join('/')}`
}
