import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Path of a program in the PATH; undefined where none of this name is installed. */
export function findProgram(name: string): string | undefined {
  const directories = (process.env.PATH ?? '').split(delimiter).filter(Boolean)
  return directories.map(directory => join(directory, name)).find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
