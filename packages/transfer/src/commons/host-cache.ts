import { randomBytes } from 'node:crypto'
import { mkdir, readFile, rename, unlink, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

const FRESH_MS = 2 * 24 * 3600_000

interface CacheFile {
  info: { created: string }
  cache: Record<string, { host: string; name: string; type: string; created: string }>
}

/** Which host serves a prefix, from one run to the next, in the file that the Gen3 SDK keeps (gen3 5.2). */
export class HostCache {
  readonly #path: string
  readonly #now: () => number

  constructor(path: string, now: () => number = Date.now) {
    this.#path = path
    this.#now = now
  }

  /** Undefined when it is not there or older than two days. */
  async read(prefix: string): Promise<string | undefined> {
    const entry = (await this.#load()).cache[prefix]
    if (typeof entry?.host !== 'string' || entry.host === '') return undefined
    const age = this.#now() - parseTime(entry.created)
    return age >= 0 && age < FRESH_MS ? entry.host.replace(/^https?:\/\/|\/.*$/g, '') : undefined
  }

  /** A cache that cannot be written costs one more question, nothing else. */
  async write(prefix: string, host: string): Promise<void> {
    const file = await this.#load()
    const created = formatTime(this.#now())
    file.cache[prefix] = { host, name: host, type: 'indexd', created }
    const next = `${this.#path}.${randomBytes(6).toString('hex')}`
    try {
      await mkdir(dirname(this.#path), { recursive: true })
      await writeFile(next, JSON.stringify(file))
      await rename(next, this.#path)
    } catch {
      await unlink(next).catch(() => {})
    }
  }

  async #load(): Promise<CacheFile> {
    const empty = { info: { created: formatTime(this.#now()) }, cache: Object.create(null) }
    try {
      const { info, cache } = JSON.parse(await readFile(this.#path, 'utf8')) as Partial<CacheFile>
      return { info: info ?? empty.info, cache: Object.assign(Object.create(null), cache) }
    } catch {
      return empty
    }
  }
}

/** `MM/DD/YYYY HH:MM:SS:+0000` */
function formatTime(ms: number): string {
  const [date, time] = new Date(ms).toISOString().split('T') as [string, string]
  const [year, month, day] = date.split('-')
  return `${month}/${day}/${year} ${time.slice(0, 8)}:+0000`
}

function parseTime(text: unknown): number {
  const match = /^(\d\d)\/(\d\d)\/(\d{4}) (\d\d):(\d\d):(\d\d):\+0000$/.exec(String(text))
  if (!match) return Number.NaN
  const [month, day, year, hour, minute, second] = match.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  return Date.UTC(year, month - 1, day, hour, minute, second)
}
