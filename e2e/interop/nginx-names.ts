/** Names that a server proposes, and names that are taken. */
import assert from 'node:assert/strict'
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { arriero } from '../program.ts'
import type { Check, Place } from './check.ts'
import { expectCode, expectOnly, expectSameFile } from './expect.ts'
import { digest, dispositions } from './served-files.ts'

export const nameChecks: Check[] = [
  ...dispositions.map(({ path, header, name }) => ({
    name: `get stays in its directory when the server says ${header.slice(0, 60)}`,
    async run({ nginx, root, directory }: Place) {
      await mkdir(join(directory, 'a/b/target'), { recursive: true })
      const target = join(directory, 'a/b/target')
      expectCode(await arriero(['get', `${nginx.plain}/disposition/${path}`, '-d', target], { cwd: directory }), 0)
      await expectOnly(directory, 'a')
      await expectOnly(join(directory, 'a'), 'b')
      await expectOnly(join(directory, 'a/b'), 'target')
      const names = await readdir(target)
      assert.equal(names.length, 1, `one file, got ${names.join(', ')}`)
      if (name) assert.equal(names[0], name)
      else assert.doesNotMatch(names[0]!, /^(\.+|con)$/i)
      await expectSameFile(join(target, names[0]!), join(root, 'small.bin'))
    },
  })),
  {
    name: '--if-exists error refuses and leaves the file alone, and is the default',
    async run(place) {
      for (const mode of [[], ['--if-exists', 'error']]) {
        const outcome = await getOver(place, 'other', mode)
        assert.notEqual(outcome.code, 0)
        assert.notEqual(outcome.stderr.trim(), '')
        assert.equal(await readFile(join(place.directory, 'small.bin'), 'utf8'), 'other')
        await expectOnly(place.directory, 'small.bin')
      }
    },
  },
  {
    name: '--if-exists overwrite replaces the file',
    async run(place) {
      expectCode(await getOver(place, 'other', ['--if-exists', 'overwrite']), 0)
      await expectSameFile(join(place.directory, 'small.bin'), join(place.root, 'small.bin'))
      await expectOnly(place.directory, 'small.bin')
    },
  },
  {
    name: '--if-exists rename keeps the file and takes another name',
    async run(place) {
      expectCode(await getOver(place, 'other', ['--if-exists', 'rename']), 0)
      assert.equal(await readFile(join(place.directory, 'small.bin'), 'utf8'), 'other')
      const added = (await readdir(place.directory)).filter(name => name !== 'small.bin')
      assert.equal(added.length, 1, `one more file, got ${added.join(', ')}`)
      await expectSameFile(join(place.directory, added[0]!), join(place.root, 'small.bin'))
    },
  },
  {
    name: '--if-exists skip skips what its checksum proves to be there',
    async run(place) {
      const original = join(place.root, 'small.bin')
      const checksum = ['--checksum', `sha256:${await digest('sha256', original)}`]
      const before = (await place.nginx.served()).reduce((sum, { bodyBytes }) => sum + bodyBytes, 0)
      expectCode(await getOver(place, await readFile(original), ['--if-exists', 'skip', ...checksum]), 0)
      const after = (await place.nginx.served()).reduce((sum, { bodyBytes }) => sum + bodyBytes, 0)
      assert.ok(after - before < (await stat(original)).size, 'nothing must be fetched again')
      await expectOnly(place.directory, 'small.bin')
    },
  },
  {
    name: '--if-exists skip never passes another file off as the right one',
    async run(place) {
      const sameSize = Buffer.alloc((await stat(join(place.root, 'small.bin'))).size, 1)
      const checksum = ['--checksum', `sha256:${await digest('sha256', join(place.root, 'small.bin'))}`]
      for (const content of ['other', sameSize]) await expectRightOrFailed(place, content, 'skip', checksum)
    },
  },
  {
    name: '--if-exists verify accepts the right file and no other',
    async run(place) {
      const original = join(place.root, 'small.bin')
      const checksum = ['--checksum', `sha256:${await digest('sha256', original)}`]
      expectCode(await getOver(place, await readFile(original), ['--if-exists', 'verify', ...checksum]), 0)
      await expectRightOrFailed(place, 'other', 'verify', checksum)
    },
  },
]

/** Gets `small.bin` where a file of that name already lies. */
async function getOver({ nginx, directory }: Place, content: string | Uint8Array, options: string[]) {
  await writeFile(join(directory, 'small.bin'), content)
  return arriero(['get', `${nginx.plain}/small.bin`, '-o', 'small.bin', ...options], { cwd: directory })
}

/** Exit 0 is a promise that the right bytes are there; anything else must have left what was there. */
async function expectRightOrFailed(place: Place, content: string | Uint8Array, mode: string, options: string[]) {
  const outcome = await getOver(place, content, ['--if-exists', mode, ...options])
  const left = await readFile(join(place.directory, 'small.bin'))
  if (outcome.code === 0) await expectSameFile(join(place.directory, 'small.bin'), join(place.root, 'small.bin'))
  else assert.deepEqual(left, Buffer.from(content), 'a refusal must leave the file as it was')
}
