import { isChecksumLine } from './checksum-list.ts'

/**
 * `json`: an array of objects · `jsonl`: an object per line · `csv`, `tsv`: with a header · `list`: URLs, plain or as aria2
 * reads them · `metalink`: version 4 · `checksums`: as sha256sum writes them, for verifying.
 */
export type ManifestForm = 'json' | 'jsonl' | 'csv' | 'tsv' | 'list' | 'metalink' | 'checksums'

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
    if (text !== '' && !text.startsWith('#')) return formOfLine(text)
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
  if (/^\s*[a-z][a-z0-9+.-]+:\/\//i.test(line)) return 'list'
  if (line.includes('\t')) return 'tsv'
  return line.includes(',') || /^"?urls?"?$/.test(line) ? 'csv' : 'list'
}
