import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/**
 * Path of a program that is installed.
 *
 * @throws where none of this name is in the PATH
 */
export function findProgram(name: string): string {
  const paths = (process.env.PATH ?? '').split(delimiter).map(directory => join(directory, name))
  const found = paths.find(isExecutable)
  if (found === undefined) throw new Error(`${name} must be installed: sh scripts/install-servers.sh`)
  return found
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
