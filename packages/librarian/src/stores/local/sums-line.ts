/** How lines of a check list read, as coreutils write them. */
import type { TrailRecord } from '../store.ts'

/** A file's line, or one for each file of a tree. */
export function linesOf({ name, kind, sha256, manifest }: TrailRecord): string[] {
  if (kind === 'file') return sha256 === null ? [] : [lineOf(sha256, name)]
  return (manifest ?? '').split('\n').flatMap(line => {
    const member = line === '' ? undefined : (JSON.parse(line) as { type: string; path: string; sha256: string })
    return member?.type === 'file' ? [lineOf(member.sha256, `${name}/${member.path}`)] : []
  })
}

function lineOf(sha256: string, name: string): string {
  const { text, isEscaped } = escapeName(name)
  return `${isEscaped ? '\\' : ''}${sha256}  ${text}\n`
}

/** Of a line without its end. */
export function nameOf(line: string): string {
  return line.startsWith('\\') ? unescapeName(line.slice(67)) : line.slice(66)
}

export function escapeName(name: string): { text: string; isEscaped: boolean } {
  const text = name.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\r', '\\r')
  return { text, isEscaped: text !== name }
}

export function unescapeName(text: string): string {
  return text.replace(/\\([\\nr])/g, (_, letter: string) => (letter === 'n' ? '\n' : letter === 'r' ? '\r' : '\\'))
}
