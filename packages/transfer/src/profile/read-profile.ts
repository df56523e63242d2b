import { createReadStream } from 'node:fs'
import { diskError } from '../disk-error.ts'
import { TransferError } from '../errors.ts'
import { baseMetrics, type Sample } from './fields.ts'

/** A profile as it was read: its head, its samples, its marks. */
export interface Profile {
  readonly samples: readonly Sample[]
  /** The last line was cut off, as a kill leaves it, and is not among the samples. */
  readonly isCut: boolean
}

/**
 * Reads a profile, ours or the reference's, in either of its versions. Fields that it does not know are kept.
 *
 * @throws TransferError `Usage` when a line lacks a field of the reference, or is none; it names file, line and field
 */
export async function readProfile(file: string): Promise<Profile> {
  const samples: Sample[] = []
  let rest = ''
  let number = 0
  try {
    for await (const chunk of createReadStream(file, { encoding: 'utf8' })) {
      const lines = (rest + chunk).split('\n')
      rest = lines.pop() as string
      for (const line of lines) addLine(line)
    }
  } catch (error) {
    throw diskError(error, 'read', file)
  }
  const isCut = rest.trim() !== '' && !isJson(rest)
  if (!isCut) addLine(rest)
  return { samples, isCut }

  function addLine(line: string): void {
    number++
    if (line.trim() !== '') samples.push(parseSample(line, `${file}, line ${number}`))
  }
}

/**
 * One line of a profile.
 *
 * @param where how errors call it
 */
function parseSample(line: string, where: string): Sample {
  const refuse = (problem: string) => new TransferError('Usage', `Cannot read the profile ${where}: ${problem}`)
  let sample: unknown
  try {
    sample = JSON.parse(line)
  } catch {
    throw refuse('it is not JSON')
  }
  if (typeof sample !== 'object' || sample === null || Array.isArray(sample)) throw refuse('it is no JSON object')
  const fields = sample as Record<string, unknown>
  const { timestamp, per_cpu, marks } = fields
  if (timestamp === undefined) throw refuse('timestamp is missing')
  if (typeof timestamp !== 'string' || Number.isNaN(parseTime(timestamp))) throw refuse('timestamp is no time')
  for (const name of baseMetrics) {
    const value = fields[name]
    if (value === undefined) throw refuse(`${name} is missing`)
    if (value !== null && typeof value !== 'number') throw refuse(`${name} must be a number or null`)
  }
  if (per_cpu !== undefined && per_cpu !== null && !isNumbers(per_cpu))
    throw refuse('per_cpu must be a list of numbers')
  if (marks !== undefined && !isMarks(marks)) throw refuse('marks must be a list of names and times')
  return sample as Sample
}

/** ms since 1970 of a sample or mark. The reference writes no zone and means UTC. */
export function parseTime(text: string): number {
  const hasZone = /(?:z|[+-]\d\d:?\d\d)$/i.test(text)
  return Date.parse(`${text.replace(' ', 'T')}${hasZone ? '' : 'Z'}`)
}

function isNumbers(value: unknown): boolean {
  return Array.isArray(value) && value.every(each => typeof each === 'number')
}

function isMarks(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.every(mark => typeof mark?.name === 'string' && !Number.isNaN(parseTime(String(mark.at))))
  )
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
