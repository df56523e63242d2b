/** `arriero get drs://…` from a librarian, with a user and a password in a file of credentials. */
import { randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { idOfPath } from '../../packages/librarian/src/services/drs/ids.ts'
import { startBytesApp } from '../../packages/librarian/test/bytes-app.ts'
import { bytesOf } from '../../packages/librarian/test/world.ts'
import { workspace } from './workspace.ts'

const space = workspace()

test('get fetches a file and a tree of a librarian by their DRS names', async () => {
  await using site = await startBytesApp()
  const content = randomBytes(200_000)
  await site.world.upload('night/1.fits', content)
  await site.world.upload(
    'run',
    new Map([
      ['a.txt', bytesOf('abc')],
      ['sub/b', bytesOf('x')],
    ]),
  )
  const cred = space.path('librarian.json')
  await writeFile(cred, JSON.stringify({ endpoint: site.app.origin, username: 'ada', password: 'pw' }), { mode: 0o600 })
  const host = `127.0.0.1:${site.app.port}`
  const file = await space.run(['get', `drs://${host}/${idOfPath('night/1.fits')}`, '--cred', cred])
  expect(file).toMatchObject({ code: 0 })
  expect((await readFile(space.path('1.fits'))).equals(content)).toBe(true)
  const tree = await space.run(['get', `drs://${host}/${idOfPath('run')}/`, '-d', 'run', '--cred', cred])
  expect(tree).toMatchObject({ code: 0 })
  expect(await readFile(space.path('run/sub/b'), 'utf8')).toBe('x')
  const denied = await space.run(['get', `drs://${host}/${idOfPath('night/1.fits')}`, 'other'])
  expect(denied.code).not.toBe(0)
}, 60_000)
