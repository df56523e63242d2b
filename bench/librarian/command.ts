import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const execute = promisify(execFile)

/** Runs a program to its end; throws what it said if that was no success. */
export async function run([program, ...args]: readonly [string, ...string[]]): Promise<string> {
  const { stdout } = await execute(program, args, { maxBuffer: 64 * 2 ** 20 })
  return stdout
}
