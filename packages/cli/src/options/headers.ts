import { readFileSync } from 'node:fs'
import { ProgramError } from '../errors.ts'
import { systemReason } from '../system-error.ts'

/** Set by the engine itself; a different value would ask for other bytes than those that are verified. */
const reserved = new Set([
  'accept-encoding',
  'connection',
  'content-length',
  'host',
  'if-match',
  'if-range',
  'range',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** `Name: value` each; `@FILE` stands for the lines of a file, so that secrets need not be arguments. */
export function parseHeaders(
  texts: readonly string[],
  read: (path: string) => string = path => readFileSync(path, 'utf8'),
): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const text of texts.flatMap(each => (each.startsWith('@') ? linesOf(each.slice(1), read) : [each]))) {
    const [name, value] = parseHeader(text)
    // Several of one name are one list (RFC 9110, 5.2).
    headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`
  }
  return headers
}

/** Headers of which everybody may know. */
const harmless = new Set(['accept', 'accept-language', 'user-agent', 'referer'])

/** All others stay with the origin that the person named: nobody can know by its name what `X-Lab-Pass` opens. */
export function secretHeadersIn(headers: Readonly<Record<string, string>>): string[] {
  return Object.keys(headers).filter(name => !harmless.has(name.toLowerCase()))
}

function parseHeader(text: string): [string, string] {
  const colon = text.indexOf(':')
  const name = text.slice(0, Math.max(0, colon)).trim()
  if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/i.test(name)) {
    // The value may be a secret: only what stands before the colon is repeated.
    throw new ProgramError('Usage', `--header takes 'Name: value', not '${colon > 0 ? text.slice(0, colon) : '…'}'.`)
  }
  if (reserved.has(name.toLowerCase())) throw new ProgramError('Usage', `--header cannot set ${name}: the engine does.`)
  const value = text.slice(colon + 1).trim()
  if (/[^\t\x20-\x7e\x80-\xff]/.test(value)) {
    throw new ProgramError('Usage', `--header ${name} has a character that no header may have.`)
  }
  return [name, value]
}

function linesOf(path: string, read: (path: string) => string): string[] {
  let text: string
  try {
    text = read(path)
  } catch (error) {
    throw new ProgramError('Usage', `Cannot read the headers in ${path}: ${systemReason(error)}`, { cause: error })
  }
  return text.split(/\r?\n/).filter(line => line.trim() !== '' && !line.startsWith('#'))
}
