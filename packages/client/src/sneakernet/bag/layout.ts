/** What stands where in a bag (BagIt 1.0, RFC 8493), and what is ours in it. */

/** Below it every file has its own plain name. */
export const DATA = 'data'
export const BAGIT = 'bagit.txt'
export const BAG_INFO = 'bag-info.txt'
export const PAYLOAD_LIST = 'manifest-sha256.txt'
export const TAG_LIST = 'tagmanifest-sha256.txt'
/** Ours: a line of JSON for each file. */
export const ITEM_LIST = 'arriero-manifest.jsonl'
/** Ours: what the librarian has signed. It stands in no list: it names the digest of the list of lists. */
export const SIGNATURE = 'arriero-signature.json'
/** Ours, where a name holds a percent sign, which BagIt writes as `%25`: the list again as `sha256sum -c` wants it. */
export const PLAIN_LIST = 'sha256sum.txt'

/** Ours, while it is packed: the header, then a line of JSON for each file that was read back. */
export const JOURNAL = 'arriero-packing.jsonl'
/** Ours, while it is packed: where files are before they have their names. */
export const WORK = '.arriero-packing'

/** What systems put onto disks by themselves. */
const systems: ReadonlySet<string> = new Set([
  'lost+found',
  'System Volume Information',
  '$RECYCLE.BIN',
  '.Trashes',
  '.fseventsd',
  '.Spotlight-V100',
  '.DS_Store',
])

export function isSystems(name: string): boolean {
  return systems.has(name) || name.startsWith('.Trash-')
}

export const bagitText = 'BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n'

export interface BagInfo {
  readonly disk: string
  readonly source: string
  readonly destination: string
  readonly label: string
  /** When packing began, ISO 8601. */
  readonly begun: string
  readonly files: number
  readonly bytes: number
}

export function bagInfoText({ disk, source, destination, label, begun, files, bytes }: BagInfo): string {
  const fields = [
    ['Source-Organization', source],
    ['Bagging-Date', begun.slice(0, 10)],
    ['External-Identifier', `urn:uuid:${disk}`],
    ['Payload-Oxum', `${bytes}.${files}`],
    ['Bag-Software-Agent', 'arriero'],
    ['Arriero-Disk', disk],
    ['Arriero-Label', label],
    ['Arriero-Source', source],
    ['Arriero-Destination', destination],
    ['Arriero-Begun', begun],
  ]
  return fields.map(([name, value]) => `${name}: ${value?.replaceAll(/[\r\n]/g, ' ')}\n`).join('')
}

/** A line of a payload or tag list. The path as BagIt writes it: only these characters may be encoded. */
export function listLine(sha256: string, path: string): string {
  const encoded = path.replaceAll(
    /[%\r\n]/g,
    each => `%${each.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  )
  return `${sha256}  ${encoded}\n`
}

export interface ListedDigest {
  readonly sha256: string
  readonly path: string
}

/** Undefined: it is no such line. */
export function parseListLine(line: string): ListedDigest | undefined {
  const [, sha256, path] = /^([0-9a-f]{64})[ \t]+\*?(.+)$/i.exec(line) ?? []
  if (sha256 === undefined || path === undefined) return undefined
  return { sha256: sha256.toLowerCase(), path: path.replaceAll(/%(25|0D|0A)/gi, each => decodeURIComponent(each)) }
}
