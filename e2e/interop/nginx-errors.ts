/** Bad input and bad luck: one clear line, the right exit code, nothing under a final name. */
import assert from 'node:assert/strict'
import { chmod, mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { arriero, nodePath, programPath, startProcess } from '../program.ts'
import { freePorts } from '../servers/ports.ts'
import { type Check, NotRun } from './check.ts'
import { expectClearFailure, expectCode, expectNoFile, expectOnly } from './expect.ts'

export const errorChecks: Check[] = [
  {
    name: 'get of what is not there exits 4',
    async run({ nginx, directory }) {
      const outcome = await arriero(['get', `${nginx.plain}/absent.bin`], { cwd: directory })
      expectClearFailure(outcome, 4)
      assert.match(outcome.stderr, /absent\.bin/, 'the message must name what was tried')
      await expectOnly(directory)
    },
  },
  {
    name: 'get from a port where nobody listens exits 6',
    async run({ directory }) {
      const [port] = await freePorts(1)
      const args = ['get', `http://127.0.0.1:${port}/file.bin`, '--retries', '1']
      expectClearFailure(await arriero(args, { cwd: directory }), 6)
      await expectOnly(directory)
    },
  },
  {
    name: 'get with a wrong checksum exits 3 and leaves nothing',
    async run({ nginx, directory }) {
      for (const file of ['small.bin', 'medium.bin']) {
        const args = ['get', `${nginx.plain}/${file}`, '--checksum', `sha256:${'0'.repeat(64)}`]
        expectClearFailure(await arriero(args, { cwd: directory }), 3)
        await expectOnly(directory)
      }
    },
  },
  {
    name: 'get with a misspelt checksum exits 2',
    async run({ nginx, directory }) {
      for (const checksum of ['sha257:00', 'md5:00', 'md5']) {
        const outcome = await arriero(['get', `${nginx.plain}/small.bin`, '--checksum', checksum], { cwd: directory })
        expectClearFailure(outcome, 2)
      }
      await expectOnly(directory)
    },
  },
  {
    name: 'get onto a name that is a directory never replaces the directory',
    async run({ nginx, directory }) {
      await mkdir(join(directory, 'target'))
      expectCode(await arriero(['get', `${nginx.plain}/small.bin`, '-o', 'target'], { cwd: directory }), 0, 7)
      // getm puts the file inside; refusing is as good.
      await expectOnly(directory, 'target')
      for (const name of await readdir(join(directory, 'target'))) assert.equal(name, 'small.bin')
    },
  },
  {
    name: 'get into a read-only directory exits 7',
    async run({ nginx, directory }) {
      const target = join(directory, 'locked')
      await mkdir(target)
      const args = ['get', `${nginx.plain}/small.bin`, '-d', target]
      if (process.getuid?.() !== 0) {
        await chmod(target, 0o555)
        expectClearFailure(await arriero(args), 7)
      } else {
        // Permissions do not stop root; a read-only mount does.
        expectClearFailure(await arrieroOnMount(target, 'size=1m,ro', args), 7)
      }
      await expectOnly(target)
    },
  },
  {
    name: 'get onto a full disk exits 7, names the lack of space and leaves no final name',
    async run({ nginx, directory }) {
      const target = join(directory, 'tiny')
      await mkdir(target)
      const args = ['get', `${nginx.plain}/medium.bin`, '-d', target]
      const outcome = await arrieroOnMount(target, 'size=16m', args, `; code=$?; ls -A ${quote(target)}; exit $code`)
      expectClearFailure(outcome, 7)
      assert.match(outcome.stderr, /space/i, 'the message must say that space is lacking')
      assert.ok(!outcome.stdout.split('\n').includes('medium.bin'), `left on the disk: ${outcome.stdout}`)
      await expectNoFile(target, 'medium.bin')
    },
  },
]

/** Runs the program with a small filesystem of its own mounted on `target`, visible to nobody else. */
async function arrieroOnMount(target: string, mountOptions: string, args: string[], after = '') {
  // Root needs only its own mounts; others become root of a user namespace first, where the kernel lets them.
  const unshare = process.getuid?.() === 0 ? ['--mount'] : ['--user', '--map-root-user', '--mount']
  const mount = `mount -t tmpfs -o ${mountOptions} tmpfs ${quote(target)}`
  const trial = await startProcess('unshare', [...unshare, 'sh', '-c', mount]).outcome.catch(error => error)
  if (trial.code !== 0) throw new NotRun(`no mounts in a namespace here: ${(trial.stderr ?? trial.message).trim()}`)
  const command = [nodePath, programPath, ...args].map(quote).join(' ')
  return startProcess('unshare', [...unshare, 'sh', '-c', `${mount} && { ${command}${after}; }`]).outcome
}

const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`
