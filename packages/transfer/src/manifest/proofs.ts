/** Which rows an earlier run has fetched already, and nobody has touched since (gen3 9.2). */
import { stat } from 'node:fs/promises'
import { relative } from 'node:path'
import type { IfExists } from '../options.ts'
import type { DownloadResult } from '../results.ts'
import type { Entry } from './entry.ts'
import type { OutcomeStatus } from './outcome.ts'
import { Proven, type ProvenFile } from './proven.ts'

export interface ProofsOptions {
  /** Of the run. */
  readonly directory: string
  readonly ifExists?: IfExists | undefined
  readonly requireChecksum?: boolean | undefined
}

/** Where what is there is to be replaced or left beside, nothing is passed over. */
const PASSING: ReadonlySet<string> = new Set(['error', 'skip', 'verify', 'repair'])

export class Proofs {
  readonly #proven: Proven
  readonly #o: ProofsOptions

  private constructor(proven: Proven, options: ProofsOptions) {
    this.#proven = proven
    this.#o = options
  }

  /** @param state file that keeps them from one run to the next */
  static async open(state: string, options: ProofsOptions): Promise<Proofs> {
    return new Proofs(await Proven.open(state), options)
  }

  /** What an earlier run made of the file, if nobody has touched it since. */
  async find(entry: Entry, path: string): Promise<{ status: OutcomeStatus; size: number } | undefined> {
    const proven = this.#proven
    const { ifExists = 'error', requireChecksum } = this.#o
    const file = !proven.isNew && PASSING.has(ifExists) ? await this.#factsOf(path, entry) : undefined
    if (!file || (entry.size !== undefined && entry.size !== file.size)) return undefined
    if (proven.has(file)) return { status: 'skipped_complete', size: file.size }
    const isThere = entry.checksums.length === 0 && !requireChecksum && proven.has(asSizeOnly(file))
    return isThere ? { status: 'skipped_size_only', size: file.size } : undefined
  }

  async remember(entry: Entry, { path, verification }: DownloadResult): Promise<void> {
    const file = await this.#factsOf(path, entry)
    if (file?.size !== verification.size) return
    const isProven = verification.proof === 'checksum' || verification.proof === 'bytes'
    this.#proven.add(isProven ? file : asSizeOnly(file))
  }

  close(): Promise<void> {
    return this.#proven.close()
  }

  async #factsOf(path: string, { checksums, range, id, uris }: Entry): Promise<ProvenFile | undefined> {
    if (range) return undefined
    // Without a digest of its own, a row is proven only for the very thing that it names.
    const digests = checksums.map(({ algorithm, value }) => `${algorithm}:${value}`)
    const stats = await stat(path, { bigint: true }).catch(() => undefined)
    if (!stats?.isFile()) return undefined
    return {
      path: relative(this.#o.directory, path),
      size: Number(stats.size),
      mtimeNs: stats.mtimeNs,
      inode: stats.ino,
      digest: (digests.length > 0 ? digests : [id ?? '', ...uris]).join(' '),
    }
  }
}

/** It arrived whole, and nothing but its size could be compared. */
function asSizeOnly(file: ProvenFile): ProvenFile {
  return { ...file, digest: `size only ${file.digest}` }
}
