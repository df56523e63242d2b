/** The rsync method over a real OpenSSH server, which takes one key and is known by one. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createConnection, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createRsyncMethod, type RsyncMethodOptions, type SshHost } from '../../../packages/transfer/src/index.ts'
import { testData } from '../../../packages/transfer/test/data.ts'
import { hasProgram } from '../../../packages/transfer/test/find-program.ts'
import { describeMethod } from '../../../packages/transfer/test/method-suite.ts'
import { findSshd, type Sshd, startSshd } from '../../servers/sshd.ts'

const offered = { hostname: 'far', transfer_attempted: false, transfer_complete: false }
const lacking = [findSshd() ? [] : ['sshd'], hasProgram('rsync') ? [] : ['rsync']].flat()

if (lacking.length > 0) {
  test.skip(`NOT RUN rsync: ${lacking.join(' and ')} is not installed; run scripts/install-servers.sh`, () => {})
} else describe('rsync over OpenSSH', suite)

function suite(): void {
  let place: string
  let sshd: Sshd
  let host: SshHost

  beforeAll(async () => {
    place = await mkdtemp(join(tmpdir(), 'arriero rsync suite-'))
    sshd = await startSshd()
    host = {
      address: '127.0.0.1',
      port: sshd.port,
      user: sshd.user,
      identityFile: sshd.identity,
      knownHostsFile: sshd.knownHosts,
    }
  })
  afterAll(async () => {
    await sshd.close()
    await rm(place, { recursive: true })
  })

  const methodTo = (ssh: SshHost, more: RsyncMethodOptions = {}) =>
    createRsyncMethod({ hostname: 'near', hosts: { far: ssh }, ...more })

  async function put(name: string, content: Uint8Array) {
    await writeFile(join(place, name), content)
    return { source: join(place, name), target: join(place, 'far', name), size: content.length, isTree: false }
  }

  describeMethod('createRsyncMethod() over ssh', {
    async make() {
      const own = await mkdtemp(join(place, 'one place-'))
      const sources = join(own, 'sources')
      await mkdir(sources)
      const paced = join(own, 'paced')
      await writeFile(paced, '#!/bin/sh\nexec rsync --bwlimit=8m "$@"\n', { mode: 0o755 })
      return {
        method: methodTo(host),
        slow: methodTo(host, { program: paced }),
        open: () => methodTo(host),
        offered,
        unusable: { ...offered, hostname: 'farther' },
        sources,
        target: name => join(own, 'staging', name),
        arrived: name => join(own, 'staging', name),
        [Symbol.asyncDispose]: () => rm(own, { recursive: true }),
      }
    },
  })

  test('a host with another key is not sent to, and nobody is asked', async () => {
    const method = methodTo({ ...host, knownHostsFile: sshd.wrongHosts })
    const state = await method.transfer([await put('a', testData(10))], { state: offered })
    expect(await method.status(state)).toMatchObject({
      status: 'failed',
      reason: expect.stringContaining('key of the host'),
    })
  })

  test('an unknown host is not sent to', async () => {
    const none = join(place, 'known nobody')
    await writeFile(none, '')
    const method = methodTo({ ...host, knownHostsFile: none })
    const state = await method.transfer([await put('a', testData(10))], { state: offered })
    expect(await method.status(state)).toMatchObject({
      status: 'failed',
      reason: expect.stringContaining('key of the host'),
    })
  })

  test('a key that is not taken is a failure that says so', async () => {
    const method = methodTo({ ...host, identityFile: sshd.identity.replace(/identity$/, 'other') })
    const state = await method.transfer([await put('a', testData(10))], { state: offered })
    expect(await method.status(state)).toMatchObject({
      status: 'failed',
      reason: expect.stringContaining('not let in'),
    })
  })

  test('a host that is away may be tried again later', async () => {
    const method = methodTo({ ...host, port: 1 }, { retries: 0 })
    const transfer = method.transfer([await put('a', testData(10))], { state: offered })
    await expect(transfer).rejects.toMatchObject({ code: 'Network', retriable: true })
  })

  test('a line that is cut before any file is through brings the batch whole, hardly a byte twice', async () => {
    const cutAfter = 3 * 2 ** 20
    await using line = await startCutLine(sshd.port, cutAfter)
    const knownHostsFile = join(place, 'known line')
    const known = await readFile(sshd.knownHosts, 'utf8')
    await writeFile(knownHostsFile, known.replaceAll(`:${sshd.port}`, `:${line.port}`))
    const method = methodTo({ ...host, port: line.port, knownHostsFile }, { retries: 12, random: () => 0 })
    const items = await Promise.all([1, 2, 3].map(at => put(`cut-${at}`, noise(4 * 2 ** 20, at))))
    const state = await method.transfer(items, { state: offered })
    expect(await method.status(state)).toEqual({ status: 'complete' })
    for (const { source, target } of items) {
      expect((await readFile(target)).equals(await readFile(source))).toBe(true)
    }
    expect(line.cuts).toBeGreaterThan(1)
    // What was on its way when it was cut goes again.
    expect(line.sent).toBeLessThan(2 * 12 * 2 ** 20)
  })
}

/** Without any run that rsync could find again. */
function noise(size: number, seed: number): Uint8Array {
  const words = new Uint32Array(size / 4)
  let state = seed
  for (let at = 0; at < words.length; at++) words[at] = state = (Math.imul(state, 1664525) + 1013904223) >>> 0
  return new Uint8Array(words.buffer)
}

interface CutLine extends AsyncDisposable {
  readonly port: number
  readonly cuts: number
  /** Bytes towards the server. */
  readonly sent: number
}

/** Every connection breaks after so many bytes towards the server. */
async function startCutLine(to: number, cutAfter: number): Promise<CutLine> {
  const open = new Set<Socket>()
  const count = { cuts: 0, sent: 0 }
  const server = createServer(near => {
    const far = createConnection(to, '127.0.0.1')
    const end = () => {
      near.destroy()
      far.destroy()
    }
    for (const socket of [near, far]) {
      open.add(socket)
      socket.on('error', end).on('close', end)
    }
    let passed = 0
    near.on('data', bytes => {
      passed += bytes.length
      count.sent += bytes.length
      if (passed > cutAfter) {
        count.cuts++
        return end()
      }
      if (!far.write(bytes)) near.pause()
    })
    far.on('drain', () => near.resume())
    far.pipe(near)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as { port: number }).port,
    get cuts() {
      return count.cuts
    },
    get sent() {
      return count.sent
    },
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy()
      await new Promise(resolve => server.close(resolve))
    },
  }
}
