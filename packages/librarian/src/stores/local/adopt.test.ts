/** What others may do with a file that they have put into the store themselves. */
import { link, mkdir, open, readFile, symlink, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { LocalPlace } from '../../../test/local-place.ts'
import { newId, unwrap } from '../../../test/store-suite.ts'
import { describeContent } from '../memory-content.ts'
import type { Publication, Store, Work } from '../store.ts'

let place: LocalPlace
let store: Store
beforeEach(async () => {
  place = await LocalPlace.make()
  store = await place.open()
})
afterEach(() => place[Symbol.asyncDispose]())

const content = new Uint8Array(Buffer.from('what others wrote'))

async function workInPlace(name: string): Promise<Work> {
  const { size, checksum } = await describeContent(content, undefined)
  return { id: newId(), token: 1, origin: { from: 'place', name }, size, checksum }
}

async function prepare(name: string): Promise<Publication> {
  const work = await workInPlace(name)
  const { kind, size, sha256 } = unwrap((await store.prepare([work]))[0]!)
  return { id: work.id, token: work.token, name, kind, size, sha256 }
}

test('A5: who holds it open for writing changes what was theirs, not what is kept', async () => {
  await place.put('f', content)
  await using theirs = await open(join(place.root, 'f'), 'r+')
  await store.adopt(await prepare('f'))
  await theirs.write('XXXX', 0)
  expect(Buffer.from(await readFile(join(place.root, 'f'))).toString()).toBe('what others wrote')
})

test('a link, a name among several, and a path through a link are not taken', async () => {
  await place.put('real', content)
  await symlink(join(place.root, 'real'), join(place.root, 'soft'))
  await mkdir(join(place.root, 'd'))
  await symlink(join(place.root, 'd'), join(place.root, 'way'))
  await writeFile(join(place.root, 'd', 'f'), content)
  for (const name of ['soft', 'way/f']) {
    const [outcome] = await store.prepare([await workInPlace(name)])
    expect(outcome, name).toMatchObject({ ok: false, error: { code: 'Unacceptable' } })
  }
  await link(join(place.root, 'real'), join(place.root, 'hard'))
  expect((await store.prepare([await workInPlace('hard')]))[0]).toMatchObject({
    ok: false,
    error: { code: 'Unacceptable' },
  })
})

test('a name that went away after it was taken is given back', async () => {
  await place.put('f', content)
  const publication = await prepare('f')
  await unlink(join(place.root, 'f'))
  await store.adopt(publication)
  expect((await readFile(join(place.root, 'f'))).equals(content)).toBe(true)
})
