/** Ordered bytes into other programs. */
import assert from 'node:assert/strict'
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { nodePath, programPath, startProcess } from '../program.ts'
import type { Check, Place } from './check.ts'
import { expectCode, expectSameFile } from './expect.ts'
import { digest, manyFiles, manyName } from './served-files.ts'

export const catChecks: Check[] = [
  {
    name: 'cat gives a pipe the bytes in order',
    async run(place) {
      const { stdout } = await shell(place, '"$NODE" "$ARRIERO" cat "$ORIGIN/large.bin" | sha256sum')
      assert.equal(stdout.split(' ')[0], await digest('sha256', join(place.root, 'large.bin')))
    },
  },
  {
    name: 'get -o - gives a pipe the bytes in order',
    async run(place) {
      const { stdout } = await shell(place, '"$NODE" "$ARRIERO" get "$ORIGIN/medium.bin" -o - | sha256sum')
      assert.equal(stdout.split(' ')[0], await digest('sha256', join(place.root, 'medium.bin')))
    },
  },
  {
    name: 'cat of an archive unpacks with tar',
    async run(place) {
      await mkdir(join(place.directory, 'unpacked'))
      await shell(place, '"$NODE" "$ARRIERO" cat "$ORIGIN/many.tar" | tar -xf - -C unpacked')
      assert.equal((await readdir(join(place.directory, 'unpacked/many'))).length, manyFiles)
      await expectSameFile(join(place.directory, 'unpacked', manyName(999)), join(place.root, manyName(999)))
    },
  },
  {
    name: 'cat ends quietly when its reader has had enough',
    async run(place) {
      const { stdout, stderr } = await shell(place, '"$NODE" "$ARRIERO" cat "$ORIGIN/large.bin" | head -c 10 | wc -c', {
        pipefail: false,
      })
      assert.equal(stdout.trim(), '10')
      assert.doesNotMatch(stderr, /\n\s+at .+:\d+:\d+/, 'must not print a stack trace')
    },
  },
]

async function shell({ nginx, directory }: Place, command: string, { pipefail = true } = {}) {
  const outcome = await startProcess('bash', ['-c', `${pipefail ? 'set -o pipefail; ' : ''}${command}`], {
    cwd: directory,
    env: { NODE: nodePath, ARRIERO: programPath, ORIGIN: nginx.plain },
  }).outcome
  expectCode(outcome, 0)
  return outcome
}
