/** Which rows an earlier run has fetched already, and nobody has touched since (gen3 9.2). */
import { type BigIntStats, statSync } from 'node:fs'
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
    if (proven.isNew || !PASSING.has(ifExists)) return undefined
    const file = this.#factsOf(path, entry, await stat(path, { bigint: true }).catch(() => undefined))
    if (!file || (entry.size !== undefined && entry.size !== file.size)) return undefined
    if (proven.has(file)) return { status: 'skipped_complete', size: file.size }
    const isThere = entry.checksums.length === 0 && !requireChecksum && proven.has(asSizeOnly(file))
    return isThere ? { status: 'skipped_size_only', size: file.size } : undefined
  }

  remember(entry: Entry, { path, verification }: DownloadResult): void {
    // Just published, so the answer is at hand: to ask another thread would cost several times as much.
    const file = this.#factsOf(path, entry, statNow(path))
    if (file?.size !== verification.size) return
    const isProven = verification.proof === 'checksum' || verification.proof === 'bytes'
    if (isProven) this.#proven.add(file)
    // Whose row states a digest is read again when its ctime has changed.
    if (entry.checksums.length === 0) this.#proven.add(asSizeOnly(file))
  }

  close(): Promise<void> {
    return this.#proven.close()
  }

  #factsOf(
    path: string,
    { checksums, range, id, uris }: Entry,
    stats: BigIntStats | undefined,
  ): ProvenFile | undefined {
    if (range || !stats?.isFile()) return undefined
    // Without a digest of its own, a row is proven only for the very thing that it names.
    const digests = checksums.map(({ algorithm, value }) => `${algorithm}:${value}`)
    return {
      path: relative(this.#o.directory, path),
      size: Number(stats.size),
      mtimeNs: stats.mtimeNs,
      ctimeNs: stats.ctimeNs,
      inode: stats.ino,
      digest: (digests.length > 0 ? digests : [id ?? '', ...uris]).join(' '),
    }
  }
}

function statNow(path: string): BigIntStats | undefined {
  try {
    return statSync(path, { bigint: true, throwIfNoEntry: false })
  } catch {
    return undefined
  }
}

/**
 * It arrived whole, and nothing but its size can be compared: never, or not since somebody has moved it. A copy that kept
 * its time is as good.
 */
function asSizeOnly(file: ProvenFile): ProvenFile {
  return { ...file, ctimeNs: 0n, inode: 0n, digest: `size only ${file.digest}` }
}
