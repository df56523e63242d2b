/** Reads the JSON lines of earlier benchmarks. */
import { readFileSync } from 'node:fs'
import { ProgramError } from '../errors.ts'
import { systemReason } from '../system-error.ts'
import type { BenchRecord, ConfigurationRecord, MachineRecord } from './record.ts'

type Kind = 'text' | 'count' | 'number' | 'boolean' | 'object' | 'texts' | 'number?' | 'text?' | 'object?'
type Fields = Readonly<Record<string, Kind>>

/** What every line must have. Fields that are not here are left alone: newer programs write more. */
const fields: Readonly<Record<keyof BenchRecord, Kind>> & Fields = {
  tool: 'text',
  version: 'text',
  command: 'text',
  machine: 'object',
  node: 'text',
  scenario: 'text',
  configuration: 'object?',
  round: 'count',
  bytes: 'count',
  files: 'count',
  wall_seconds: 'number',
  effective_gbit_per_second: 'number',
  user_cpu_seconds: 'number',
  system_cpu_seconds: 'number',
  cpu_seconds_per_gb: 'number?',
  peak_resident_bytes: 'number?',
  peak_connections: 'number?',
  retries: 'number?',
  hedged_bytes: 'number?',
  verify_seconds: 'number?',
  files_before: 'count',
  files_after: 'count',
  is_right: 'boolean',
  problem: 'text?',
}

const ofMachine: Readonly<Record<keyof MachineRecord, Kind>> & Fields = {
  cpu: 'text',
  cores: 'count',
  memory_bytes: 'count',
  kernel: 'text',
  filesystem: 'text',
}

const ofConfiguration: Readonly<Record<keyof ConfigurationRecord, Kind>> & Fields = {
  name: 'text',
  connections: 'number?',
  part_size: 'number?',
  threads: 'number?',
  args: 'texts',
}

/** @throws ProgramError Usage naming file and line */
export function readRecords(path: string): BenchRecord[] {
  return parseRecords(textOf(path), path)
}

export function parseRecords(text: string, path: string): BenchRecord[] {
  const records: BenchRecord[] = []
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue
    const where = `${path}, line ${index + 1}`
    const value = parsed(line, where)
    requireFields(value, fields, where)
    requireFields(value.machine, ofMachine, where, 'machine.')
    if (value.configuration !== null) requireFields(value.configuration, ofConfiguration, where, 'configuration.')
    records.push(value as unknown as BenchRecord)
  }
  if (records.length === 0) throw new ProgramError('Usage', `${path} has no runs.`)
  return records
}

function requireFields(value: unknown, wanted: Fields, where: string, prefix = ''): void {
  const found = value as Record<string, unknown>
  for (const [name, kind] of Object.entries(wanted)) {
    if (!isKind(found[name], kind))
      throw broken(where, `${prefix}${name} is ${name in found ? 'not right' : 'missing'}`)
  }
}

function parsed(line: string, where: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line)
    if (isKind(value, 'object')) return value as Record<string, unknown>
  } catch {
    throw broken(where, 'it is not JSON, or was cut off')
  }
  throw broken(where, 'it is not an object')
}

function isKind(value: unknown, kind: Kind): boolean {
  if (kind.endsWith('?')) return value === null || isKind(value, kind.slice(0, -1) as Kind)
  if (kind === 'text') return typeof value === 'string'
  if (kind === 'texts') return Array.isArray(value) && value.every(each => typeof each === 'string')
  if (kind === 'boolean') return typeof value === 'boolean'
  if (kind === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value)
  const isNumber = typeof value === 'number' && value >= 0
  return kind === 'count' ? isNumber && Number.isSafeInteger(value) : isNumber
}

function broken(where: string, what: string): ProgramError {
  return new ProgramError('Usage', `${where}: no run of a benchmark: ${what}.`)
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new ProgramError('Disk', `Cannot read ${path}: ${systemReason(error)}`, { cause: error })
  }
}
