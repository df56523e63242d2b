import { isChecksumLine } from './checksum-list.ts'
import { isFetchLine } from './fetch-list.ts'
import { objectsOf } from './object-line.ts'

/**
 * `json`: an array of objects · `jsonl`: an object per line · `csv`, `tsv`: with a header · `list`: URLs, plain or as aria2
 * reads them, or ids of objects · `ids`: the same where ids may look like anything · `metalink`: version 4 ·
 * `checksums`: as sha256sum writes them, for verifying · `fetch`: a bag's `fetch.txt`.
 */
export type ManifestForm = 'json' | 'jsonl' | 'csv' | 'tsv' | 'list' | 'ids' | 'metalink' | 'checksums' | 'fetch'

const formByExtension: Readonly<Record<string, ManifestForm>> = {
  csv: 'csv',
  tsv: 'tsv',
  tab: 'tsv',
  jsonl: 'jsonl',
  ndjson: 'jsonl',
  meta4: 'metalink',
  metalink: 'metalink',
}

/** The form that the manifest's name decides; `.json` and `.txt` decide nothing. */
export function formOfName(name: string | undefined): ManifestForm | undefined {
  if (/(?:^|[/\\])fetch\.txt$/.test(name ?? '')) return 'fetch'
  const extension = /\.([a-z0-9]+)$/i.exec(name?.replace(/[?#].*$/s, '') ?? '')?.[1]?.toLowerCase()
  return extension === undefined ? undefined : formByExtension[extension]
}

/**
 * The form that the first bytes decide: the first character that is not blank, else the first line that is neither
 * blank nor a comment. Undefined while that line is not complete; pass `isWhole` when nothing will follow.
 */
export function formOfContent(bytes: Buffer, isWhole: boolean): ManifestForm | undefined {
  for (let start = 0; start < bytes.length || isWhole; ) {
    const newline = bytes.indexOf(10, start)
    const text = bytes.toString('utf8', start, newline < 0 ? bytes.length : newline).trimEnd()
    const bySign = formBySign(text.trimStart())
    if (bySign) return bySign
    const isComplete = newline >= 0 || isWhole
    if (!isComplete) return undefined
    if (text !== '' && (!text.startsWith('#') || isGdcHeader(text))) return formOfLine(text)
    if (newline < 0) return 'list'
    start = newline + 1
  }
  return undefined
}

function formBySign(text: string): ManifestForm | undefined {
  if (text.startsWith('[')) return 'json'
  if (text.startsWith('{')) return 'jsonl'
  return text.startsWith('<') ? 'metalink' : undefined
}

function formOfLine(line: string): ManifestForm {
  if (isChecksumLine(line)) return 'checksums'
  if (isFetchLine(line)) return 'fetch'
  if (/^\s*[a-z][a-z0-9+.-]+:\/\//i.test(line)) return 'list'
  if (line.includes('\t')) return 'tsv'
  if (objectsOf(line.trim(), false)) return 'list'
  return line.includes(',') || /^"?(?:urls?|id|object_id|guid|did|(?:pfb:)?(?:ga4gh_)?drs_uri)"?$/i.test(line)
    ? 'csv'
    : 'list'
}

/** With every cell between its quotes, which elsewhere begin a comment. */
function isGdcHeader(line: string): boolean {
  return /^#id#\t/.test(line)
}

/** What separates the header's cells, where that is not what the manifest's name says: files are often called .csv. */
export function delimiterOf(header: string, form: 'csv' | 'tsv'): 'csv' | 'tsv' {
  if (header.includes('\t')) return form === 'csv' && header.includes(',') ? 'csv' : 'tsv'
  return header.includes(',') ? 'csv' : form
}

/**
 * Whether the bytes begin a web page: what a login page or an error leaves in a file that was to be a manifest. Undefined
 * while they are too few.
 */
export function isWebPage(bytes: Buffer, isWhole: boolean): boolean | undefined {
  const head = bytes.toString('latin1', 0, 4096).trimStart()
  if (!head.startsWith('<')) return head === '' && !isWhole && bytes.length < 4096 ? undefined : false
  if (head.length < 256 && !isWhole) return undefined
  return /^(?:<\?xml[^>]*>\s*|<!--(?:(?!-->)[\s\S])*-->\s*)*<(?:!doctype\s+html|html|head|body|title|meta|script|center)[\s>]/i.test(
    head,
  )
}
