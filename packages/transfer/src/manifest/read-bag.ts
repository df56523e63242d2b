/**
 * What a bag (BagIt, RFC 8493) leaves to be fetched, with the digests that its payload manifests name.
 *
 *     1  fetch.txt        which paths are to be fetched
 *     2  manifest-*.txt   the digests of those paths
 *     3  fetch.txt        the rows
 *
 * Neither file need be in the order of the other, nor fit into memory: of each path to be fetched 14 bytes are kept, and its
 * digests.
 */
import { hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { TransferError } from '../errors.ts'
import { algorithmByName, type DigestAlgorithm, digestBytes, isDigestAlgorithm } from '../integrity/algorithms.ts'
import { digestAsHex } from '../integrity/parse-checksum.ts'
import { printable } from '../names/characters.ts'
import { HashIndex } from '../names/hash-index.ts'
import type { Fields, Row } from './entry.ts'
import { createFetchListParser, readFetchLine, unescapePath } from './fetch-list.ts'
import { readRows } from './parse-manifest.ts'
import { RowProblem, refuse } from './problem.ts'
import { type RecordHandler, RecordSplitter } from './records.ts'
import { Rows } from './rows.ts'

export interface BagOptions {
  readonly signal?: AbortSignal | undefined
}

/**
 * The rows of a bag's `fetch.txt`, in batches as `parseManifest` gives them; paths are relative to the bag. A row whose
 * path a payload manifest does not name, or that stands there twice, is a bad row: nothing would hold it to its content. A bag without
 * `fetch.txt` has nothing to be fetched.
 *
 * @throws TransferError Usage when the directory is no bag, or none of its payload manifests has a digest that we know;
 *   Disk when it cannot be read
 * @example
 * ```ts
 * for await (const rows of readBag('bags/run-7')) for (const row of rows) console.log(row)
 * ```
 */
export async function* readBag(
  directory: string,
  options: BagOptions = {},
): AsyncGenerator<readonly Row[], void, undefined> {
  const names = await namesIn(directory)
  await checkBagit(directory, names)
  if (!names.includes('fetch.txt')) return
  const fetchList = join(directory, 'fetch.txt')
  const wanted = new WantedDigests()
  await eachLine(fetchList, options, text => wanted.want(text))
  const manifests = manifestsAmong(directory, names)
  for (const { name, algorithm } of manifests) {
    wanted.begin(algorithm, name)
    await eachLine(join(directory, name), options, text => wanted.offer(text))
  }
  const rows = new Rows(fetchList)
  yield* readRows(
    bytesOf(fetchList, options),
    rows,
    createFetchListParser(rows, path => wanted.take(path)),
  )
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory)
  } catch (error) {
    throw unreadable(directory, error)
  }
}

/** RFC 8493, 2.1.1. */
async function checkBagit(directory: string, names: readonly string[]): Promise<void> {
  if (!names.includes('bagit.txt')) throw noBag(directory, 'it must hold bagit.txt')
  const text = await readFile(join(directory, 'bagit.txt'), 'utf8').catch(error => {
    throw unreadable(join(directory, 'bagit.txt'), error)
  })
  if (!/^\ufeff?BagIt-Version: *\d+\.\d+ *$/m.test(text)) throw noBag(directory, 'bagit.txt must name a BagIt-Version')
  const encoding = /^Tag-File-Character-Encoding: *(\S+) *$/m.exec(text)?.[1] ?? 'UTF-8'
  if (!/^utf-?8$/i.test(encoding)) throw noBag(directory, `its tag files must be in UTF-8, got ${printable(encoding)}`)
}

function manifestsAmong(directory: string, names: readonly string[]): { name: string; algorithm: DigestAlgorithm }[] {
  const known = names.flatMap(name => {
    const algorithm = algorithmByName(/^manifest-([a-z0-9-]+)\.txt$/i.exec(name)?.[1] ?? '')
    return algorithm !== undefined && isDigestAlgorithm(algorithm) ? [{ name, algorithm }] : []
  })
  if (known.length === 0) throw noBag(directory, 'it must hold a payload manifest such as manifest-sha256.txt')
  return known
}

interface DigestColumn {
  readonly algorithm: DigestAlgorithm
  readonly manifest: string
  readonly digests: Uint8Array
  /** By position: 0 nothing yet, 1 a digest, 2 something that cannot be used. */
  readonly states: Uint8Array
}

/** Digests of the paths that are to be fetched, and of no others. */
class WantedDigests {
  /** Position of each path in the columns. Of hashes, 97 bits: two of 10⁷ paths meet with a probability of 10⁻¹⁶. */
  readonly #positions = new HashIndex({ keyBits: 97, numberBits: 32 })
  readonly #columns: DigestColumn[] = []
  #isTaken = new Uint8Array(0)

  want(fetchLine: string): void {
    const path = pathOfFetchLine(fetchLine)
    if (path !== undefined && !this.#seek(path)) this.#positions.insert(false, this.#positions.size)
  }

  begin(algorithm: DigestAlgorithm, manifest: string): void {
    const count = this.#positions.size
    this.#isTaken = new Uint8Array(count)
    const digests = new Uint8Array(count * digestBytes[algorithm])
    this.#columns.push({ algorithm, manifest, digests, states: new Uint8Array(count) })
  }

  /** A line of the manifest begun last. What cannot be read is missing later, where it is wanted. */
  offer(manifestLine: string): void {
    const [, digest, path] = /^\s*([^\s]+)[ \t]+\*?(.*\S)\s*$/.exec(manifestLine) ?? []
    if (digest === undefined || path === undefined || !this.#seek(unescapePath(path))) return
    const position = this.#positions.long
    const { algorithm, digests, states } = this.#columns.at(-1)!
    const hex = digestAsHex(algorithm, digest)
    const length = digestBytes[algorithm]
    const place = Buffer.from(digests.buffer, position * length, length)
    const isOther = states[position] === 1 && place.toString('hex') !== hex
    if (states[position] === 2 || hex === undefined || isOther) states[position] = 2
    else states[position] = place.write(hex, 'hex') === length ? 1 : 2
  }

  /** @throws RowProblem */
  take(path: string): Fields {
    // The file was changed between the two readings, or the path stands in it twice.
    if (!this.#seek(path)) return refuse('fetch.txt must not change while it is read')
    const position = this.#positions.long
    if (this.#isTaken[position] === 1) refuse('fetch.txt must name each path once', path)
    this.#isTaken[position] = 1
    const checksums: Record<string, string> = {}
    for (const { algorithm, manifest, digests, states } of this.#columns) {
      if (states[position] === 2) refuse(`${manifest} must have one ${algorithm} digest for it`, 'another')
      const length = digestBytes[algorithm]
      if (states[position] === 1) {
        checksums[algorithm] = Buffer.from(digests.buffer, position * length, length).toString('hex')
      }
    }
    if (Object.keys(checksums).length === 0) refuse('a payload manifest must name its path', path)
    return { checksums }
  }

  #seek(path: string): boolean {
    return this.#positions.seek(hash('sha256', path, 'binary'))
  }
}

function pathOfFetchLine(text: string): string | undefined {
  if (text.trim() === '') return undefined
  try {
    return readFetchLine(text).filepath
  } catch (error) {
    if (error instanceof RowProblem) return undefined
    throw error
  }
}

async function eachLine(path: string, options: BagOptions, take: (text: string) => void): Promise<void> {
  const handler: RecordHandler = { record: take, unreadable: () => {} }
  const lines = new RecordSplitter(handler)
  for await (const chunk of bytesOf(path, options)) lines.push(chunk)
  lines.end()
}

async function* bytesOf(path: string, { signal }: BagOptions): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(path, { ...(signal && { signal }), highWaterMark: 256 * 1024 }) as AsyncIterable<Uint8Array>
  } catch (error) {
    signal?.throwIfAborted()
    throw unreadable(path, error)
  }
}

function noBag(directory: string, rule: string): TransferError {
  return new TransferError('Usage', `Cannot read the bag ${printable(directory)}: ${rule}`, { file: directory })
}

function unreadable(path: string, cause: unknown): TransferError {
  const code = (cause as NodeJS.ErrnoException).code
  const kind = ['ENOENT', 'ENOTDIR', 'EISDIR'].includes(code ?? '') ? 'Usage' : 'Disk'
  return new TransferError(kind, `Cannot read the bag’s ${printable(path)}: ${String(code)}`, { file: path, cause })
}
