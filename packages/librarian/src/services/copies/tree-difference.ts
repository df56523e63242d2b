/** In what a tree differs from its recorded manifest, by its members' names (reliability 1). */
import { printable } from '@arriero/transfer'

/** Names told; a tree of a million members may differ in all. */
const MOST_NAMES = 5

interface Line {
  readonly type: string
  readonly size?: number | undefined
  readonly sha256?: string | undefined
}

/**
 * @param recorded lines of JSON, as the catalogue has them
 * @param found the same, as the bytes have them now
 * @returns words; empty where they are the same
 */
export function treeDifference(recorded: string, found: string): string {
  const before = linesOf(recorded)
  const differences: string[] = []
  for (const [path, now] of linesOf(found)) {
    const was = before.get(path)
    before.delete(path)
    const how = was === undefined ? 'was not there' : changeOf(was, now)
    if (how !== undefined) differences.push(`${printable(path)} ${how}`)
  }
  for (const path of before.keys()) differences.push(`${printable(path)} is missing`)
  const told = differences.slice(0, MOST_NAMES).join('; ')
  return differences.length > MOST_NAMES ? `${told}; and ${differences.length - MOST_NAMES} more` : told
}

function changeOf(was: Line, now: Line): string | undefined {
  if (was.type !== now.type) return `must be a ${was.type}, is a ${now.type}`
  if (was.size !== now.size) return `must have ${was.size} bytes, has ${now.size}`
  return was.sha256 === now.sha256 ? undefined : `must have the SHA-256 ${was.sha256}, has ${now.sha256}`
}

function linesOf(manifest: string): Map<string, Line> {
  const lines = manifest.split('\n').flatMap(text => (text === '' ? [] : [JSON.parse(text) as Line & { path: string }]))
  return new Map(lines.map(({ path, ...line }) => [path, line]))
}
