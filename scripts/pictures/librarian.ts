/** Draws docs/pictures/librarian.svg: a first librarian and somebody who uses it, from what they really print on a terminal. */
import { randomBytes } from 'node:crypto'
import { chmod, mkdir, open, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { testBytes } from '../../e2e/program/server.ts'
import { drawScreen } from './draw-screen.ts'
import { pathOf } from './path-of.ts'
import { playScene, startScene, typed } from './play-scene.ts'
import type { Span } from './terminal-screen.ts'

const before = [
  'arriero login here http://127.0.0.1:8080 --user admin --password-file password',
  'arriero upload --each raw .',
  "arriero search 'raw/*'",
  'arriero upload other.fits raw/2.fits',
]
const rot = '# a disk changes one byte of raw/2.fits'
const after = ['arriero validate raw/2.fits', 'arriero errors']

export async function drawLibrarian(): Promise<void> {
  // By a name that is always the same, because it is seen in the picture.
  const directory = join(tmpdir(), 'arriero-picture')
  await mkdir(directory)
  const place = {
    directory,
    env: { HOME: directory, XDG_STATE_HOME: join(directory, 'state'), HL_CLIENT_CONFIG: undefined },
  }
  try {
    await prepare(directory)
    const server = await startScene('arriero serve --admin-password-file password', /Ctrl-C stops it/, place)
    try {
      const lines: Span[][] = server.rows()
      for (const command of before) lines.push(...(await playScene({ command }, place)))
      await changeByte(join(directory, 'arriero-data/files/raw/2.fits'))
      lines.push(...typed(rot))
      for (const command of after) lines.push(...(await playScene({ command }, place)))
      const title = 'arriero serve; then a login, uploads, a search, a name that is taken, and a copy that has changed'
      await writeFile(pathOf('librarian.svg'), drawScreen(lines, title))
    } finally {
      await server.end()
    }
  } finally {
    await rm(directory, { recursive: true })
  }
}

async function prepare(directory: string): Promise<void> {
  await writeFile(join(directory, 'password'), `${randomBytes(12).toString('hex')}\n`, { mode: 0o600 })
  await mkdir(join(directory, 'raw'))
  for (const number of [1, 2, 3]) {
    await writeFile(join(directory, 'raw', `${number}.fits`), testBytes((16 + 8 * number) << 20))
  }
  await writeFile(join(directory, 'other.fits'), testBytes(1000))
}

async function changeByte(path: string): Promise<void> {
  await chmod(path, 0o640)
  await using file = await open(path, 'r+')
  await file.write(Buffer.from('?'), 0, 1, 5_000_000)
}
