/** What became of one file, as a line for people and as an object for programs. */
import { relative } from 'node:path'
import type { DownloadResult, Outcome, Resource, Verification } from '../engine.ts'
import { printable } from '../text.ts'
import { formatDuration, formatRate, formatSize } from '../units.ts'

/** `ocean.nc  13.0 MiB in 0.41 s (31.7 MiB/s), sha256 ok (caller)` */
export function doneLine(result: DownloadResult, shownPath: string): string {
  const { bytes, status, isRepaired, resumedBytes, verification, isDurable, timings } = result
  const name = printable(shownPath)
  const proof = proofOf(verification)
  if (status === 'skipped') return `${name}  ${formatSize(bytes)}, was there already, ${proof}`
  const fetched = Math.max(0, bytes - resumedBytes)
  const rate = timings.totalMs > 0 ? ` (${formatRate((fetched / timings.totalMs) * 1000)})` : ''
  const notes = [
    `${formatSize(bytes)} in ${formatDuration(timings.totalMs)}${rate}`,
    proof,
    ...(resumedBytes > 0 ? [`${formatSize(resumedBytes)} of it from an earlier run`] : []),
    ...(isRepaired ? ['replaces another file that was there'] : []),
    ...(isDurable ? [] : ['not yet durable']),
  ]
  return `${name}  ${notes.join(', ')}`
}

/** How it was verified: `sha256 ok (caller)`, `the same byte for byte`, `size only`, `not verified`. */
export function proofOf(verification: Verification): string {
  const matched = verification.checks.filter(check => check.outcome === 'match')
  if (matched.length > 0) {
    return matched.map(({ algorithm, authority }) => `${algorithm} ok (${authority})`).join(', ')
  }
  if (verification.proof === 'bytes') return 'the same byte for byte'
  const unverifiable = verification.checks.find(check => check.outcome === 'unverifiable')
  if (unverifiable) return `size only: ${unverifiable.algorithm} could not be verified`
  return verification.proof === 'none' ? 'NOT verified: not even the size was known' : 'size only'
}

/** The result as JSON: everything but what must not be printed. */
export function resultRow(result: DownloadResult): Record<string, unknown> {
  const { resource, ...rest } = result
  return { ...rest, resource: resourceRow(resource) }
}

/** `resolvedUrl` may carry a signature and stays out. */
export function resourceRow(resource: Resource): Record<string, unknown> {
  const { resolvedUrl: _, lastModified, date, expiresAt, ...rest } = resource
  return { ...rest, ...times({ lastModified, date, expiresAt }) }
}

function times(values: Record<string, number | undefined>): Record<string, string> {
  const known = Object.entries(values).filter((entry): entry is [string, number] => entry[1] !== undefined)
  return Object.fromEntries(known.map(([key, ms]) => [key, new Date(ms).toISOString()]))
}

/** A row as its list calls it. */
export function nameOf(outcome: Outcome): string {
  return ownNameOf(outcome) ?? `entry ${outcome.index + 1}`
}

/** Undefined of a row that could not be read. */
export function ownNameOf({ requested_name, object_id, uri }: Outcome): string | undefined {
  return requested_name ?? object_id ?? uri
}

/** A path as a person would write it from here. */
export function shownPath(path: string, cwd: string): string {
  const short = relative(cwd, path)
  return short === '' || short.startsWith('..') ? path : short
}
