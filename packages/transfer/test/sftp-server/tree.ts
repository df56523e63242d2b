/** Files in memory, by absolute path; directories are there because of what lies below them. */
export interface TreeFile {
  readonly content: Uint8Array
  /** Whole seconds since 1970, as SFTP has it. */
  readonly mtime: number
  /** Where a symbolic link leads; then there is no content. */
  readonly target?: string | undefined
}

export class Tree {
  readonly #files = new Map<string, TreeFile>()
  /** Different for each version, and a while ago. */
  #clock = Math.floor(Date.now() / 1000) - 3600

  put(path: string, content: Uint8Array, mtime = ++this.#clock): void {
    this.#files.set(path, { content, mtime })
  }

  link(path: string, target: string): void {
    this.#files.set(path, { content: new Uint8Array(), mtime: ++this.#clock, target })
  }

  remove(path: string): void {
    this.#files.delete(path)
  }

  /** Itself, without following a link. */
  at(path: string): TreeFile | 'directory' | undefined {
    const found = this.#files.get(path)
    if (found) return found
    const below = path === '/' ? '/' : `${path}/`
    return [...this.#files.keys()].some(name => name.startsWith(below)) ? 'directory' : undefined
  }

  /** What it leads to. */
  follow(path: string): TreeFile | 'directory' | undefined {
    let found = this.at(path)
    for (let hops = 0; typeof found === 'object' && found.target !== undefined; hops++) {
      if (hops > 8) return undefined
      found = this.at(found.target)
    }
    return found
  }

  /** Names directly below. */
  namesIn(path: string): string[] {
    const below = path === '/' ? '/' : `${path}/`
    const inside = [...this.#files.keys()].filter(name => name.startsWith(below))
    return [...new Set(inside.map(name => name.slice(below.length).split('/')[0] as string))]
  }
}
