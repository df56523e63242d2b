import type { Fields } from './entry.ts'
import type { FormParser } from './form.ts'
import { refuse } from './problem.ts'
import { RecordSplitter } from './records.ts'
import type { Rows } from './rows.ts'
import { URL_ROW } from './shape.ts'

const FOR_VERIFYING = { shape: URL_ROW, needsUris: false }

/** `HEX  NAME` and `HEX *NAME` of coreutils, `HEX NAME` of BSD's -r; a leading backslash says that the name is escaped. */
const PLAIN = /^(\\?)([0-9a-f]{8,128}) [ *]?(.+)$/is
/** `SHA256 (NAME) = HEX`, as BSD and `--tag` write it. */
const TAGGED = /^(\\?)([A-Z][A-Z0-9-]*) \((.+)\) = ([0-9a-z+/=]+)$/is

const algorithmByLength: Readonly<Record<number, string>> = { 32: 'md5', 40: 'sha1', 64: 'sha256', 128: 'sha512' }

/**
 * A checksum list as `sha256sum`, `md5sum` and their kin write it, and so the payload manifests of BagIt. Its entries have no
 * URIs: it serves to verify. The algorithm is the one that the list's own name says (`manifest-md5.txt`, `SHA256SUMS`,
 * `x.b3`), else the one that the digest's length says.
 */
export function createChecksumListParser(rows: Rows, manifestName: string | undefined): FormParser {
  const algorithm = algorithmOfName(manifestName)
  return new RecordSplitter({
    record(text, line) {
      if (text.trim() !== '' && !text.startsWith('#')) rows.add(line, () => readLine(text, algorithm), FOR_VERIFYING)
    },
    unreadable: (problem, line) => rows.bad(line, problem),
  })
}

/** Whether the line has the form of such a list; decides what an unnamed manifest is. */
export function isChecksumLine(text: string): boolean {
  const plain = PLAIN.exec(text)
  return plain ? plain[2]!.length in algorithmByLength : TAGGED.test(text)
}

function readLine(text: string, algorithm: string | undefined): Fields {
  const plain = PLAIN.exec(text)
  const tagged = plain ? null : TAGGED.exec(text)
  if (plain) return fieldsOf(plain[1]!, plain[3]!, algorithm ?? algorithmByLength[plain[2]!.length], plain[2]!)
  if (tagged) return fieldsOf(tagged[1]!, tagged[3]!, tagged[2], tagged[4]!)
  return refuse('a line must be DIGEST, two blanks and a name', text)
}

function fieldsOf(mark: string, name: string, algorithm: string | undefined, digest: string): Fields {
  if (algorithm === undefined) refuse('a digest must have 32, 40, 64 or 128 hex digits', digest)
  if (name === '-') refuse('a line must name a file', '- (the standard input)')
  return { filepath: mark === '' ? name : unescapeName(name), checksum: digest, 'checksum-algorithm': algorithm }
}

/** coreutils: `\\` backslash, `\n` line feed, `\r` carriage return. */
function unescapeName(name: string): string {
  return name.replace(/\\([\\nr])/g, (_, letter: string) => (letter === 'n' ? '\n' : letter === 'r' ? '\r' : '\\'))
}

function algorithmOfName(name: string | undefined): string | undefined {
  const found =
    /(?:^|[^a-z0-9])(md5|sha-?1|sha-?256|sha-?512|b3|blake3|xxh128|xxh3|crc32c?)(?:sums?)?(?:[^a-z0-9]|$)/i.exec(
      name?.replace(/^.*[/\\]/, '') ?? '',
    )?.[1]
  return found?.toLowerCase() === 'b3' ? 'blake3' : found?.toLowerCase()
}
