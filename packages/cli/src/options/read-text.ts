import { readFileSync } from 'node:fs'
import { ProgramError } from '../errors.ts'
import { systemReason } from '../system-error.ts'

/** A file that a flag names. */
export function readText(path: string, flag: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new ProgramError('Usage', `Cannot read ${path} for ${flag}: ${systemReason(error)}`, {
      remedy: 'Check the path and its permissions.',
      cause: error,
    })
  }
}
