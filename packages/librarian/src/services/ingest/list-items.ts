/** Items of a manifest, in any of the forms that the engine reads: what cannot be used fails by itself, with its reason. */
import { fileNameProblem } from '@arriero/api'
import {
  type Checksum,
  type Entry,
  fileNameFor,
  formatChecksum,
  isBadRow,
  type ManifestOptions,
  parseManifest,
  type Row,
} from '@arriero/transfer'
import type { NewItem } from '../../catalogue/operations/jobs.ts'
import { type IngestRequest, writeEntry } from './rows.ts'

export interface ListItemsOptions extends Pick<IngestRequest, 'prefix' | 'allowUnattested'> {
  readonly manifest: ManifestOptions
  /** What forbids a URI. */
  readonly uriProblem: (uri: string) => string | undefined
}

export async function* listItems(
  input: AsyncIterable<Uint8Array>,
  options: ListItemsOptions,
): AsyncGenerator<readonly NewItem[]> {
  const names = new Set<string>()
  for await (const rows of parseManifest(input, options.manifest)) {
    yield rows.map(row => itemOf(row, names, options))
  }
}

function itemOf(row: Row, names: Set<string>, options: ListItemsOptions): NewItem {
  const position = row.index
  if (isBadRow(row)) return { position, name: '', entry: writeEntry({ uris: ['-'] }), reason: row.error.message }
  const name = nameOf(row, options.prefix)
  const { wire, others } = checksumsOf(row.checksums)
  const problem = problemOf(row, name, wire, options) ?? (names.has(name) ? 'its name is in the list twice' : undefined)
  names.add(name)
  // What may not be fetched is not written down: its URI may hold a secret.
  const uris = problem === undefined ? [...row.uris] : ['-']
  const entry = writeEntry({
    uris,
    ...(row.size === undefined ? {} : { size: row.size }),
    ...(wire === undefined ? {} : { checksum: wire }),
    ...(others.length > 0 ? { checksums: others } : {}),
  })
  return { position, name, entry, reason: problem ?? null }
}

function nameOf({ path, uris }: Entry, prefix: string | undefined): string {
  const own = () => fileNameFor({ url: uris[0] ?? '' })
  const name = path === undefined ? own() : path.endsWith('/') ? path + own() : path
  return prefix === undefined ? name : `${prefix}/${name}`
}

function problemOf(
  row: Entry,
  name: string,
  checksum: string | undefined,
  { uriProblem, allowUnattested }: ListItemsOptions,
): string | undefined {
  const named = fileNameProblem(name)
  if (named !== undefined) return `Cannot use its name: ${named}`
  if (row.uris.length === 0) return 'It must name where its bytes are'
  if (row.headers !== undefined) return 'It must not carry headers; name credentials of the settings instead'
  if (row.range !== undefined) return 'It must be a whole file, it names a range'
  const bad = row.uris.map(uriProblem).find(problem => problem !== undefined)
  if (bad !== undefined) return `Cannot use where it is: ${bad}`
  if (checksum === undefined && !allowUnattested) return 'It must have a checksum, or unattested entries be allowed'
  return undefined
}

/** Strongest first: the one that becomes the file's, if the wire has a name for it; all others are compared by the engine. */
const wireNames: Readonly<Record<string, string>> = {
  sha512: 'sha512',
  sha256: 'sha256',
  xxh128: 'xxh3',
  sha1: 'sha1',
  md5: 'md5',
}

function checksumsOf(checksums: readonly Checksum[]): { wire: string | undefined; others: string[] } {
  const ranked = Object.keys(wireNames)
  const [best] = checksums
    .filter(({ algorithm }) => ranked.includes(algorithm))
    .sort((a, b) => ranked.indexOf(a.algorithm) - ranked.indexOf(b.algorithm))
  const others = checksums.filter(checksum => checksum !== best).map(checksum => formatChecksum(checksum))
  return { wire: best && `${wireNames[best.algorithm]}:::${best.value}`, others }
}
