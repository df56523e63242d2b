/** What the older program printed, letter by letter: people parse it (librarian 14.2). */
import type { FoundFile } from '../librarian/client.ts'
import { printable } from '../text.ts'

/** Bold on a terminal only: escapes in a pipe were a nuisance that nobody can want back. */
export type Bold = (text: string) => string

const units = ['', 'k', 'M', 'G', 'T', 'P', 'E', 'Z']

/** `512.0 B`, `1.0 kB`: prefixes of ten, steps of 1024. */
export function oldSize(bytes: number): string {
  let value = bytes
  for (const unit of units) {
    if (Math.abs(value) < 1024) return `${value.toFixed(1)} ${unit}B`
    value /= 1024
  }
  return `${value.toFixed(1)} YB`
}

type Cell = string | number | boolean | null | undefined

/** Left-aligned, ` | ` between, dashes below the headings; 0, false and nothing are empty cells. */
export function oldTable(headings: readonly string[], rows: readonly (readonly Cell[])[]): string[] {
  const cells = rows.map(row => row.map(oldCell))
  const widths = headings.map((heading, at) => Math.max(...[heading, ...cells.map(row => row[at] ?? '')].map(lengthOf)))
  const line = (row: readonly string[]) => row.map((cell, at) => padded(cell, widths[at] as number)).join(' | ')
  return [line(headings), line(widths.map(width => '-'.repeat(width))), ...cells.map(line)]
}

function oldCell(cell: Cell): string {
  if (cell === null || cell === undefined || cell === false || cell === 0) return ''
  return cell === true ? 'True' : printable(String(cell))
}

function lengthOf(text: string): number {
  return [...text].length
}

function padded(text: string, width: number): string {
  return text + ' '.repeat(width - lengthOf(text))
}

/** `2026-11-20 22:03:37.619866` */
export function oldTime(naive: string | null | undefined): string | undefined {
  return naive?.replace('T', ' ')
}

export function oldFile(file: FoundFile, bold: Bold): string[] {
  const { name, size, create_time, uploader, source, instances, remote_instances } = file
  const head = `${name} (${oldSize(size ?? 0)}) - ${oldTime(create_time)} - ${uploader} - ${source}`
  const copies = instances.map(({ path, available }) => `    ${printable(path)} - ${available ? '' : 'NOT '}AVAILABLE`)
  const elsewhere = remote_instances.map(({ librarian_name }) => `    ${printable(librarian_name)}`)
  return [
    bold(printable(head)),
    ...(copies.length > 0 ? ['Instances:', ...copies] : ['No instances of this file found.']),
    ...(elsewhere.length > 0 ? ['Remote instances:', ...elsewhere] : ['No remote instances of this file found.']),
  ]
}

export interface OldStore {
  readonly name: string
  readonly store_type: string
  readonly free_space: number
  readonly ingestable: boolean
  readonly available: boolean
  readonly enabled: boolean
}

export function oldStore(
  { name, store_type, free_space, ingestable, available, enabled }: OldStore,
  bold: Bold,
): string {
  const not = (is: boolean) => (is ? '' : 'Not ')
  const states = [`${not(ingestable)}Ingestable`, `${not(available)}Available`, enabled ? 'Enabled' : 'Disabled']
  return `${bold(printable(name))} (${printable(store_type)}) [${oldSize(free_space)} Free] - ${states.join(' - ')}`
}

export interface OldLibrarian {
  readonly name: string
  readonly url: string
  readonly port: number
  readonly available: boolean | null
  readonly enabled: boolean
}

/** The blank that is missing before the last dash was missing then. */
export function oldLibrarian({ name, url, port, available, enabled }: OldLibrarian, bold: Bold): string {
  const there = available === null ? 'Unknown' : available ? 'Available' : 'Disabled'
  return `${bold(printable(name))} (${printable(url)}:${port}) - ${there}- ${enabled ? 'Enabled' : 'Disabled'}`
}
