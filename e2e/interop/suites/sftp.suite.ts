/** The SFTP source against a real OpenSSH server. */
import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, readlink, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createEngine, download, list, readAll } from '../../../packages/transfer/src/index.ts'
import type { SftpOptions } from '../../../packages/transfer/src/sources/sftp/options.ts'
import { createSftpSource } from '../../../packages/transfer/src/sources/sftp.ts'
import { failureOf, fetchBytes } from '../../../packages/transfer/test/fetch-bytes.ts'
import { describeListing, listAll } from '../../../packages/transfer/test/list-suite.ts'
import { sourceContext } from '../../../packages/transfer/test/source-context.ts'
import { contentOf, describeSource, expectSame } from '../../../packages/transfer/test/source-suite.ts'
import { findSshd, type Sshd, startSshd } from '../../servers/sshd.ts'

if (!findSshd()) test.skip('NOT RUN sftp: sshd is not installed; run scripts/install-servers.sh', () => {})
else describe('OpenSSH', suite)

function suite(): void {
  let directory: string
  let sshd: Sshd
  let sftp: SftpOptions
  let context: ReturnType<typeof sourceContext>
  let count = 0
  /** Of contents: times have whole seconds, and a change must be seen. */
  let clock = Math.floor(Date.now() / 1000) - 3600

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'arriero-sftp-suite-'))
    // Keys are renewed every few megabytes, in the middle of transfers.
    sshd = await startSshd({ settings: ['RekeyLimit 4M'] })
    sftp = { identity: sshd.identity, knownHosts: sshd.knownHosts, agent: false, config: false }
    context = sourceContext({ sftp })
  })
  afterAll(async () => {
    await context[Symbol.asyncDispose]()
    await sshd.close()
    await rm(directory, { recursive: true })
  })

  const urlOf = (path: string) => `${sshd.origin}${encodeURI(path)}`
  const open = (uri: string) => createSftpSource(uri, context)
  const put = async (path: string, content: Uint8Array) => {
    await writeFile(path, content)
    await utimes(path, ++clock, clock)
  }

  describeSource('createSftpSource()', {
    async make(content) {
      const path = join(directory, `content ${++count} %41`)
      await put(path, content)
      return {
        source: open(`${sshd.origin}${encodeURI(path)}`),
        change: other => put(path, other),
        remove: () => rm(path),
        [Symbol.asyncDispose]: () => rm(path, { force: true }),
      }
    },
  })

  describeListing('createSftpSource()', {
    async make(files) {
      const place = join(directory, `place ${++count} %41`)
      for (const [path, content] of files) {
        await mkdir(dirname(join(place, path)), { recursive: true })
        await writeFile(join(place, path), content)
      }
      return {
        source: open(`${urlOf(place)}/`),
        open,
        [Symbol.asyncDispose]: () => rm(place, { recursive: true }),
      }
    },
  })

  test('64 MiB come whole over several connections, while keys are renewed', async () => {
    const content = contentOf(64 * 2 ** 20)
    const path = join(directory, 'big')
    await put(path, content)
    const target = join(directory, 'big.out')
    await using engine = createEngine()
    await download(urlOf(path), target, { engine, sftp, concurrency: 4, partSize: 2 ** 20 })
    expectSame(await readFile(target), content)
  })

  test('more connections at once than its MaxStartups and MaxSessions like', async () => {
    await using strict = await startSshd({ settings: ['MaxStartups 2:100:2', 'MaxSessions 1'] })
    const content = contentOf(8 * 2 ** 20)
    const path = join(directory, 'crowded')
    await put(path, content)
    const options = { identity: strict.identity, knownHosts: strict.knownHosts, agent: false, config: false } as const
    const bytes = await readAll(`${strict.origin}${path}`, { sftp: options, concurrency: 16, partSize: 64 * 1024 })
    expectSame(bytes, content)
  })

  test.each([
    'aes128-gcm@openssh.com',
    'aes256-gcm@openssh.com',
    'aes128-ctr',
    'aes256-ctr',
    'chacha20-poly1305@openssh.com',
  ])('reads under %s', async cipher => {
    await using one = await startSshd({ settings: [`Ciphers ${cipher}`, 'RekeyLimit 1M'] })
    const content = contentOf(3_000_000)
    const path = join(directory, 'ciphered')
    await put(path, content)
    const options = { identity: one.identity, knownHosts: one.knownHosts, agent: false, config: false } as const
    expectSame(await readAll(`${one.origin}${path}`, { sftp: options }), content)
  })

  test('knows it by hashed names and by its fingerprint, and by nothing else', async () => {
    const path = join(directory, 'known')
    await put(path, contentOf(10))
    const reading = (more: SftpOptions) => readAll(urlOf(path), { sftp: { ...sftp, ...more } })
    expect(await reading({ knownHosts: sshd.hashedHosts })).toHaveLength(10)
    expect(await reading({ knownHosts: '/dev/null', hostKey: sshd.fingerprint })).toHaveLength(10)
    expect(await failureOf(reading({ knownHosts: '/dev/null' }))).toMatchObject({
      code: 'Tls',
      message: expect.stringContaining(sshd.fingerprint),
    })
    expect(await failureOf(reading({ knownHosts: sshd.wrongHosts }))).toMatchObject({
      code: 'Tls',
      message: expect.stringContaining('has changed'),
    })
  })

  test('logs in by an agent', async () => {
    const socket = join(directory, 'agent')
    const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: ['ignore', 'pipe', 'inherit'] })
    try {
      await new Promise(resolve => agent.stdout.once('data', resolve))
      const added = spawn('ssh-add', ['-q', sshd.identity], { env: { ...process.env, SSH_AUTH_SOCK: socket } })
      await new Promise(resolve => added.once('exit', resolve))
      const path = join(directory, 'by-agent')
      await put(path, contentOf(10))
      expect(await readAll(urlOf(path), { sftp: { ...sftp, identity: [], agent: socket } })).toHaveLength(10)
    } finally {
      agent.kill()
    }
  })

  test('says Denied, and what was tried, when no key is accepted', async () => {
    const failure = await failureOf(
      readAll(urlOf('/x'), { sftp: { ...sftp, identity: [sshd.identity.replace(/identity$/, 'other')] } }),
    )
    expect(failure).toMatchObject({
      code: 'Denied',
      message: expect.stringMatching(/tried publickey \(other\); the server takes publickey/),
    })
  })

  test('lists links to files, and names that are no UTF-8, and opens those', async () => {
    const place = join(directory, 'odd')
    await mkdir(join(place, 'real'), { recursive: true })
    await writeFile(join(place, 'real/a'), 'content')
    await symlink('real/a', join(place, 'link'))
    await symlink('..', join(place, 'real/loop'))
    await writeFile(Buffer.concat([Buffer.from(`${place}/`), Buffer.from([0x66, 0xfc, 0x72])]), 'umlaut')
    const listed = await listAll(open(`${urlOf(place)}/`), { isRecursive: true })
    expect(listed.map(({ path, size }) => [path, size]).sort()).toEqual([
      ['für', 6],
      ['link', 7],
      ['real/a', 7],
    ])
    const odd = listed.find(({ path }) => path === 'für')
    expect(odd?.uri).toMatch(/\/f%FCr$/)
    expect(Buffer.from((await fetchBytes(open(odd?.uri as string))).bytes).toString()).toBe('umlaut')
  })

  test('lists by a pattern, from the root', async () => {
    const place = join(directory, 'pattern')
    await mkdir(join(place, 'run1'), { recursive: true })
    for (const name of ['a.g3', 'b.g3', 'c.txt']) await writeFile(join(place, 'run1', name), name)
    const found: string[] = []
    for await (const batch of list(`${urlOf(place)}/run*/*.g3`, { sftp })) found.push(...batch.map(({ path }) => path))
    expect(found.sort()).toEqual(['run1/a.g3', 'run1/b.g3'])
  })

  test('leaves no files open at the server', async () => {
    const path = join(directory, 'opened')
    await put(path, contentOf(10))
    for (let time = 0; time < 50; time++) await fetchBytes(open(urlOf(path)))
    await expect.poll(() => holdersOf(path)).toEqual([])
  })
}

/** Processes that have a file open. */
async function holdersOf(path: string): Promise<string[]> {
  const processes = (await readdir('/proc')).filter(name => /^\d+$/.test(name))
  const opened = await Promise.all(
    processes.map(async id => {
      const names = await readdir(`/proc/${id}/fd`).catch(() => [])
      return Promise.all(names.map(name => readlink(`/proc/${id}/fd/${name}`).catch(() => '')))
    }),
  )
  return processes.filter((_, index) => opened[index]?.includes(path))
}
