/** Configurations from a file: a JSON or YAML list, or JSON lines. */
import { parse } from 'yaml'
import { ProgramError } from '../errors.ts'
import { readText } from '../options/read-text.ts'
import { parsePositiveSize } from '../units.ts'
import type { Configuration } from './configuration.ts'

const keys = ['name', 'connections', 'part_size', 'threads', 'args'] as const
type Row = Partial<Record<(typeof keys)[number], unknown>>

/** @throws ProgramError Usage naming the row at fault */
export function readConfigurations(path: string): Configuration[] {
  const rows = rowsOf(readText(path, '--config'), path)
  if (rows.length === 0) throw new ProgramError('Usage', `${path} has no configurations.`)
  const configurations = rows.map((row, index) => readRow(row, `${path}: configuration ${index + 1}`))
  const names = configurations.map(({ name }) => name)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) throw new ProgramError('Usage', `${path} has two configurations named '${twice}'.`)
  return configurations
}

function rowsOf(text: string, path: string): unknown[] {
  try {
    if (/\.(?:jsonl|ndjson)$/i.test(path)) {
      return text
        .split('\n')
        .filter(line => line.trim() !== '')
        .map(line => JSON.parse(line))
    }
    // JSON is YAML as well.
    const value: unknown = parse(text)
    if (Array.isArray(value)) return value
  } catch (error) {
    throw new ProgramError('Usage', `Cannot read ${path}: ${(error as Error).message.split('\n')[0]}`)
  }
  throw new ProgramError('Usage', `Cannot read ${path}: it must hold a list of configurations.`)
}

function readRow(value: unknown, where: string): Configuration {
  const refuse = (what: string): never => {
    throw new ProgramError('Usage', `${where}: ${what}.`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return refuse('it must be an object')
  const stranger = Object.keys(value).find(key => !keys.some(known => known === key))
  if (stranger !== undefined) refuse(`it has '${stranger}', and may have ${keys.join(', ')}`)
  const { name, connections, part_size, threads, args = [] } = value as Row
  if (typeof name !== 'string' || name.trim() === '') return refuse('it needs a name')
  if (!Array.isArray(args) || args.some(arg => typeof arg !== 'string')) return refuse('args must be a list of texts')
  const count = (field: string, given: unknown) => {
    if (given === undefined || given === 'auto') return undefined
    return Number.isSafeInteger(given) && Number(given) >= 1
      ? Number(given)
      : refuse(`${field} must be a whole number of at least 1`)
  }
  const partSize =
    part_size === undefined || part_size === 'auto'
      ? undefined
      : parsePositiveSize(String(part_size), `${where}: part_size`)
  return { name, connections: count('connections', connections), partSize, threads: count('threads', threads), args }
}
