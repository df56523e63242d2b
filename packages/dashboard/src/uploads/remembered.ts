/** Uploads that were begun and not yet kept, so that one goes on after the page was loaded again and its file chosen again. */
export interface RememberedUpload {
  readonly url: string
  readonly checksum: string
}

export interface Remembered {
  get(key: string): RememberedUpload | undefined
  set(key: string, upload: RememberedUpload): void
  remove(key: string): void
}

const STORED = 'arriero.uploads'
const MOST = 200

/** A file that was changed since has another time, or another size, and is another. */
export function keyOf(name: string, { size, lastModified }: Pick<File, 'size' | 'lastModified'>): string {
  return `${size} ${lastModified} ${name}`
}

export function createRemembered(storage: Pick<Storage, 'getItem' | 'setItem'>): Remembered {
  const read = (): Map<string, RememberedUpload> => {
    try {
      return new Map(JSON.parse(storage.getItem(STORED) ?? '[]') as [string, RememberedUpload][])
    } catch {
      return new Map()
    }
  }
  const change = (act: (all: Map<string, RememberedUpload>) => void) => {
    const all = read()
    act(all)
    storage.setItem(STORED, JSON.stringify([...all].slice(-MOST)))
  }
  return {
    get: key => read().get(key),
    set: (key, upload) => change(all => all.set(key, upload)),
    remove: key => change(all => all.delete(key)),
  }
}
