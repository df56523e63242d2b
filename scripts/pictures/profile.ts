/**
 * Draws docs/pictures/profile.svg, the picture in the manual, from a run of the built program that is recorded while the picture is
 * made: a file of 400 MiB, whose MD5 is stated, from a server on this machine that gives each connection 8 MB/s.
 */
import { createHash } from 'node:crypto'
import { copyFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startServer, testBytes } from '../../e2e/program/server.ts'
import { arriero } from '../../e2e/program.ts'
import { pathOf } from './path-of.ts'

export async function drawProfile(): Promise<void> {
  const server = await startServer()
  const directory = await mkdtemp(join(tmpdir(), 'arriero-picture-'))
  try {
    const body = testBytes(400 << 20)
    server.serve('/ocean.nc', { body, rate: 8_000_000 })
    const checksum = `md5:${createHash('md5').update(body).digest('hex')}`
    await run(directory, 'get', `${server.url}/ocean.nc`, '--checksum', checksum, '--profile', 'ocean.profile')
    await run(directory, 'profile', 'plot', 'ocean.profile')
    await copyFile(join(directory, 'ocean.profile.svg'), pathOf('profile.svg'))
  } finally {
    await server.close()
    await rm(directory, { recursive: true })
  }
}

async function run(cwd: string, ...args: string[]): Promise<void> {
  const { code, stderr } = await arriero(args, { cwd })
  if (code !== 0) throw new Error(`arriero ${args[0]} ended with ${code}: ${stderr}`)
}
