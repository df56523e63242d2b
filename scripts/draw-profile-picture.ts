/**
 * `node scripts/draw-profile-picture.ts`: draws docs/pictures/profile.svg, the picture in the manual, from a run of the
 * built program that is recorded while the picture is made: a file of 400 MiB, whose MD5 is stated, from a server on this
 * machine that gives each connection 8 MB/s.
 */
import { createHash } from 'node:crypto'
import { copyFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startServer, testBytes } from '../e2e/program/server.ts'
import { arriero } from '../e2e/program.ts'

const picture = fileURLToPath(new URL('../docs/pictures/profile.svg', import.meta.url))
const server = await startServer()
const directory = await mkdtemp(join(tmpdir(), 'arriero-picture-'))
try {
  const body = testBytes(400 << 20)
  server.serve('/ocean.nc', { body, rate: 8_000_000 })
  const checksum = `md5:${createHash('md5').update(body).digest('hex')}`
  await run('get', `${server.url}/ocean.nc`, '--checksum', checksum, '--profile', 'ocean.profile')
  await run('profile', 'plot', 'ocean.profile')
  await copyFile(join(directory, 'ocean.profile.svg'), picture)
  console.log(`written: ${picture}`)
} finally {
  await server.close()
  await rm(directory, { recursive: true })
}

async function run(...args: string[]): Promise<void> {
  const { code, stderr } = await arriero(args, { cwd: directory })
  if (code !== 0) throw new Error(`arriero ${args[0]} ended with ${code}: ${stderr}`)
}
