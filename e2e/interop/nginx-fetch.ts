/** Whole files through every kind of server that nginx can be. */
import assert from 'node:assert/strict'
import { mkdir, open, readFile, stat, statfs, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { arriero } from '../program.ts'
import { type Check, NotRun } from './check.ts'
import { expectClearFailure, expectCode, expectOnly, expectSameFile } from './expect.ts'
import { digest, MiB, manyFiles, manyName, markBytes, sparseMarks, sparseSize } from './served-files.ts'

export const fetchChecks: Check[] = [
  {
    name: 'get fetches a file over http',
    async run({ nginx, root, directory }) {
      expectCode(await arriero(['get', `${nginx.plain}/small.bin`, '-o', 'small.bin'], { cwd: directory }), 0)
      await expectSameFile(join(directory, 'small.bin'), join(root, 'small.bin'))
      await expectOnly(directory, 'small.bin')
    },
  },
  {
    name: 'get takes its name from the URL and leaves nothing beside the file',
    async run({ nginx, root, directory }) {
      expectCode(await arriero(['get', `${nginx.plain}/small.bin?version=3`], { cwd: directory }), 0)
      await expectOnly(directory, 'small.bin')
      await expectSameFile(join(directory, 'small.bin'), join(root, 'small.bin'))
    },
  },
  {
    name: 'get trusts the certificate named by NODE_EXTRA_CA_CERTS',
    async run({ nginx, root, directory }) {
      const env = { NODE_EXTRA_CA_CERTS: nginx.caFile }
      expectCode(await arriero(['get', `${nginx.tls}/medium.bin`, '-o', 'medium.bin'], { cwd: directory, env }), 0)
      await expectSameFile(join(directory, 'medium.bin'), join(root, 'medium.bin'))
    },
  },
  {
    name: 'get refuses a certificate that nobody vouches for',
    async run({ nginx, directory }) {
      const env = { NODE_EXTRA_CA_CERTS: undefined }
      expectClearFailure(await arriero(['get', `${nginx.tls}/small.bin`], { cwd: directory, env }), 6)
      await expectOnly(directory)
    },
  },
  {
    name: 'get fetches a large file by ranges and proves its sha256',
    async run({ nginx, root, directory }) {
      const sha256 = await digest('sha256', join(root, 'large.bin'))
      const before = (await nginx.served()).length
      const args = ['get', `${nginx.plain}/large.bin`, '-o', 'large.bin', '--checksum', `sha256:${sha256}`]
      expectCode(await arriero(args, { cwd: directory }), 0)
      assert.equal(await digest('sha256', join(directory, 'large.bin')), sha256)
      const ranged = (await nginx.served()).slice(before).filter(({ status }) => status === 206)
      assert.ok(ranged.length > 1, `a file of 256 MiB must come in several ranges, came in ${ranged.length}`)
    },
  },
  {
    name: 'get is right from a server that ignores ranges',
    async run({ nginx, root, directory }) {
      expectCode(await arriero(['get', `${nginx.noRanges}/medium.bin`], { cwd: directory }), 0)
      await expectSameFile(join(directory, 'medium.bin'), join(root, 'medium.bin'))
      await expectOnly(directory, 'medium.bin')
    },
  },
  {
    name: 'get places every byte of a file beyond 4 GiB',
    async run({ nginx, directory }) {
      const { bavail, bsize } = await statfs(directory)
      if (bavail * bsize < sparseSize + 1024 * MiB) throw new NotRun('needs 6 GiB of free disk')
      expectCode(await arriero(['get', `${nginx.plain}/sparse.bin`], { cwd: directory, timeoutMs: 300_000 }), 0)
      await expectOnly(directory, 'sparse.bin')
      const file = join(directory, 'sparse.bin')
      assert.equal((await stat(file)).size, sparseSize)
      await using handle = await open(file)
      for (const mark of sparseMarks) {
        const { buffer } = await handle.read(Buffer.alloc(8), 0, 8, mark)
        assert.deepEqual(buffer, markBytes(mark), `the bytes at offset ${mark}`)
      }
      // One byte before and after each mark is zero at the server.
      for (const zero of [8, 2 ** 31 - 5, 2 ** 31 + 4, 2 ** 32 - 9, 2 ** 32 + 8, sparseSize - 9]) {
        const { buffer } = await handle.read(Buffer.alloc(1, 1), 0, 1, zero)
        assert.equal(buffer[0], 0, `the byte at offset ${zero}`)
      }
    },
  },
  {
    name: 'get stores the bytes as they are where the server would gladly compress',
    async run({ nginx, root, directory }) {
      const original = join(root, 'words.txt')
      const before = (await nginx.served()).length
      expectCode(await arriero(['get', `${nginx.gzip}/words.txt`], { cwd: directory }), 0)
      await expectSameFile(join(directory, 'words.txt'), original)
      const bytes = (await nginx.served()).slice(before).reduce((sum, { bodyBytes }) => sum + bodyBytes, 0)
      assert.ok(bytes >= (await stat(original)).size, `the server sent ${bytes} bytes: it was asked to compress`)
    },
  },
  {
    name: 'get fetches a manifest of 1,000 files with their checksums',
    async run({ nginx, root, directory }) {
      const names = Array.from({ length: manyFiles }, (_, index) => manyName(index))
      const entries = await Promise.all(
        names.map(async name => ({
          url: `${nginx.plain}/${name}`,
          filepath: name,
          checksum: await digest('md5', join(root, name)),
          'checksum-algorithm': 'md5',
        })),
      )
      await writeFile(join(directory, 'list.json'), JSON.stringify(entries))
      await mkdir(join(directory, 'target'))
      expectCode(await arriero(['get', '--manifest', 'list.json', '-d', 'target'], { cwd: directory }), 0)
      await expectOnly(join(directory, 'target'), '.transfer', 'many')
      await expectOnly(join(directory, 'target/many'), ...names.map(name => name.slice('many/'.length)))
      for (const name of names) {
        const [actual, original] = [await readFile(join(directory, 'target', name)), await readFile(join(root, name))]
        assert.ok(actual.equals(original), `${name} must equal the original`)
      }
    },
  },
  {
    name: 'get fetches the rest of a manifest when one entry is missing, and exits 1',
    async run({ nginx, root, directory }) {
      const urls = [0, 1, 'absent', 2].map(index =>
        typeof index === 'number' ? `${nginx.plain}/${manyName(index)}` : `${nginx.plain}/${index}.bin`,
      )
      await writeFile(join(directory, 'list.json'), JSON.stringify(urls.map(url => ({ url }))))
      expectClearFailure(await arriero(['get', '--manifest', 'list.json', '-d', 'target'], { cwd: directory }), 1)
      await expectOnly(join(directory, 'target'), '.transfer', '0000.bin', '0001.bin', '0002.bin')
      const retry = await readFile(join(directory, 'target/.transfer/failed-manifest.json'), 'utf8')
      assert.deepEqual(
        JSON.parse(retry).map((row: { urls: string[] }) => row.urls),
        [[`${nginx.plain}/absent.bin`]],
        'the list for the next run holds what failed',
      )
      await expectSameFile(join(directory, 'target/0002.bin'), join(root, manyName(2)))
    },
  },
]
