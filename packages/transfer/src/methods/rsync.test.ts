import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { testData } from '../../test/data.ts'
import { hasProgram } from '../../test/find-program.ts'
import { describeMethod } from '../../test/method-suite.ts'
import type { Clock } from '../clock.ts'
import type { MethodItem } from '../method.ts'
import { createRsyncMethod } from './rsync.ts'

const offered = { hostname: hostname(), transfer_attempted: false, transfer_complete: false }

const isInstalled = hasProgram('rsync')
if (!isInstalled) test.skip('NOT RUN rsync: it is not installed; run scripts/install-servers.sh', () => {})
else {
  describeMethod('createRsyncMethod() on one machine', {
    async make() {
      const place = await mkdtemp(join(tmpdir(), 'arriero-rsync-'))
      const sources = join(place, 'sources')
      await mkdir(sources)
      return {
        method: createRsyncMethod(),
        slow: createRsyncMethod({ program: await pacedRsync(place) }),
        open: () => createRsyncMethod(),
        offered,
        unusable: { ...offered, hostname: 'elsewhere' },
        sources,
        target: name => join(place, 'staging', name),
        arrived: name => join(place, 'staging', name),
        [Symbol.asyncDispose]: () => rm(place, { recursive: true }),
      }
    },
  })
}

/** A few megabytes take seconds. */
async function pacedRsync(place: string): Promise<string> {
  const program = join(place, 'paced')
  await writeFile(program, '#!/bin/sh\nexec rsync --bwlimit=8m "$@"\n')
  await chmod(program, 0o755)
  return program
}

/** Every delay is over at once, and is told. */
function hurriedClock(): Clock & { readonly slept: number[] } {
  const slept: number[] = []
  return {
    slept,
    now: () => performance.now(),
    wallNow: () => Date.now(),
    sleep: async ms => void slept.push(ms),
  }
}

describe('createRsyncMethod()', () => {
  let place: string
  const at = (name: string) => join(place, name)

  beforeEach(async () => {
    place = await mkdtemp(join(tmpdir(), 'arriero-rsync-'))
    await mkdir(at('staging'))
  })
  afterEach(() => rm(place, { recursive: true }))

  async function file(name: string, content = testData(100)): Promise<MethodItem> {
    await writeFile(at(name), content)
    return { source: at(name), target: at(`staging/${name}`), size: content.length, isTree: false }
  }

  /** In the place of rsync. */
  async function program(text: string): Promise<string> {
    await writeFile(at('program'), `#!/bin/sh\n${text}\n`)
    await chmod(at('program'), 0o755)
    return at('program')
  }

  test('nothing of our environment but what it needs, and no name of a file, reaches its command line', async () => {
    const dump = at('dump')
    const method = createRsyncMethod({
      program: await program(`{ env; printf '%s\\n' "$@"; } > '${dump}'; cat > '${dump}.names'`),
      environment: { ...process.env, LIBRARIAN_SERVER_ENCRYPTION_KEY: 'canary-1', RSYNC_PASSWORD: 'canary-2' },
    })
    const item = await file('--rsh=$(touch hacked)')
    await method.transfer([item], { state: offered })
    const seen = await readFile(dump, 'utf8')
    expect(seen).not.toContain('canary')
    expect(seen).not.toContain('hacked')
    expect(seen).toMatch(/^LC_ALL=C$/m)
    expect(await readFile(`${dump}.names`, 'utf8')).toBe('./--rsh=$(touch hacked)\0')
  })

  const failing = (code: number, said: string) => program(`cat > /dev/null; echo '${said}' >&2; exit ${code}`)

  test.each([
    [23, 'rsync: write failed: No space left on device (28)', 'disk of the receiver is full'],
    [23, 'rsync: mkstemp failed: Permission denied (13)', 'some files could not be copied'],
    [24, 'file has vanished', 'vanished'],
    [2, '', 'do not understand each other'],
    [12, 'bash: rsync: command not found', 'not installed at the other side'],
    [255, 'Host key verification failed.', 'key of the host'],
    [255, 'me@far: Permission denied (publickey).', 'not let in'],
    [99, 'Odd', 'it failed (99): Odd'],
  ])('it tells what exit code %i means when it says %j', async (code, said, reason) => {
    const clock = hurriedClock()
    const method = createRsyncMethod({ program: await failing(code, said), clock })
    const state = await method.transfer([await file('one')], { state: offered })
    expect(await method.status(state)).toMatchObject({ status: 'failed', reason: expect.stringContaining(reason) })
    expect(clock.slept).toEqual([])
  })

  test.each([
    [12, 'Network'],
    [10, 'Network'],
    [30, 'Timeout'],
    [255, 'Network'],
  ])('a line that stays broken (%i) is tried four times, and may be tried again later', async (code, kind) => {
    const clock = hurriedClock()
    const method = createRsyncMethod({ program: await failing(code, 'connection unexpectedly closed'), clock })
    const transfer = method.transfer([await file('one')], { state: offered })
    await expect(transfer).rejects.toMatchObject({ code: kind, retriable: true })
    expect(clock.slept).toHaveLength(3)
  })

  test('a secret that it repeats is not shown', async () => {
    const method = createRsyncMethod({ program: await failing(5, 'Authorization: Bearer abcdef123'), retries: 0 })
    const transfer = method.transfer([await file('one')], { state: offered })
    await expect(transfer).rejects.toMatchObject({ message: expect.not.stringContaining('abcdef123') })
  })

  test('when the call ends, the process has ended, even one that will not', async () => {
    const method = createRsyncMethod({
      program: await program(`echo $$ > '${at('pid')}'; echo '  1 1%'; exec sleep 600`),
    })
    const ending = new AbortController()
    const onProgress = () => ending.abort(new Error('stop'))
    await expect(
      method.transfer([await file('one')], { state: offered, signal: ending.signal, onProgress }),
    ).rejects.toThrow('stop')
    const pid = Number(await readFile(at('pid'), 'utf8'))
    expect(() => process.kill(pid, 0)).toThrow('ESRCH')
  })

  test('it is valid where it is installed, for this machine and those that the settings name', async () => {
    const own = await program('')
    const hosts = { far: { address: '192.0.2.1' } }
    const why = (method: ReturnType<typeof createRsyncMethod>, name: string) =>
      method.whyNot({ ...offered, hostname: name })
    expect(why(createRsyncMethod({ program: own, hosts }), hostname())).toBeUndefined()
    expect(why(createRsyncMethod({ program: own, hosts }), 'far')).toBeUndefined()
    expect(why(createRsyncMethod({ program: own, hosts }), 'toString')).toContain('no settings')
    expect(why(createRsyncMethod({ program: 'no-such-program' }), hostname())).toContain('not installed')
  })

  async function argumentsFor(ssh: object): Promise<string[]> {
    const dump = at('arguments')
    const method = createRsyncMethod({
      program: await program(`cat > /dev/null; printf '%s\\n' "$@" > '${dump}'`),
      hosts: { far: ssh },
    })
    const state = await method.transfer([await file('one')], { state: { ...offered, hostname: 'far' } })
    expect(await method.status(state)).toEqual({ status: 'complete' })
    return (await readFile(dump, 'utf8')).split('\n')
  }

  test('over ssh it takes no unknown host and asks nobody, and its files may have odd names', async () => {
    const sent = await argumentsFor({
      address: 'far.example.org',
      user: 'carrier',
      port: 2222,
      identityFile: "/keys/it's %h",
      knownHostsFile: '/keys/known hosts',
    })
    const shell = sent.find(word => word.startsWith('--rsh='))
    expect(shell).toContain('-o BatchMode=yes -o StrictHostKeyChecking=yes')
    expect(shell).toContain("-p 2222 -o IdentitiesOnly=yes -o 'IdentityFile=\"/keys/it''s %%h\"'")
    expect(shell).toContain('-o \'UserKnownHostsFile="/keys/known hosts"\'')
    expect(sent).toContain(`carrier@far.example.org:${at('staging')}/`)
    expect(sent.indexOf('--')).toBe(sent.indexOf(`carrier@far.example.org:${at('staging')}/`) - 2)
  })

  test('an address of version 6 has its brackets', async () => {
    expect(await argumentsFor({ address: '2001:db8::1' })).toContain(`[2001:db8::1]:${at('staging')}/`)
  })

  test.each([
    { address: '-oProxyCommand=touch /tmp/x' },
    { address: 'a b' },
    { address: 'far', user: '-l' },
    { address: 'far', user: 'a@b' },
    { address: 'far', identityFile: 'relative' },
    { address: 'far', knownHostsFile: '/a"b' },
  ])('settings that could be taken for something else are refused: %j', async ssh => {
    const method = createRsyncMethod({ program: await program('exit 0'), hosts: { far: ssh } })
    const state = await method.transfer([await file('one')], { state: { ...offered, hostname: 'far' } })
    expect(await method.status(state)).toMatchObject({ status: 'failed', reason: expect.stringContaining('must be') })
  })

  test.skipIf(!isInstalled)(
    'modes are those of a staging area, links are not sent, files are not replaced',
    async () => {
      const item = await file('one')
      await chmod(item.source, 0o440)
      await mkdir(at('tree/inner'), { recursive: true, mode: 0o550 })
      const tree = { source: at('tree'), target: at('staging/a/b/tree'), size: 0, isTree: true }
      const mask = process.umask(0o077)
      const method = createRsyncMethod()
      try {
        const state = await method.transfer([{ ...item, target: at('staging/a/one') }, tree], { state: offered })
        expect(await method.status(state)).toEqual({ status: 'complete' })
      } finally {
        process.umask(mask)
      }
      const modeOf = async (name: string) => (await stat(at(`staging/${name}`))).mode & 0o777
      expect(await modeOf('a/one')).toBe(0o664)
      for (const name of ['a', 'a/b', 'a/b/tree', 'a/b/tree/inner'])
        expect([name, await modeOf(name)]).toEqual([name, 0o775])
      await symlink('/etc/hostname', at('tree/link'))
      const linked = await method.transfer([{ ...tree, target: at('staging/linked') }], { state: offered })
      expect(await method.status(linked)).toMatchObject({
        status: 'failed',
        reason: expect.stringContaining('tree/link'),
      })
      await writeFile(item.target, 'precious')
      const again = await method.transfer([item], { state: offered })
      expect(await method.status(again)).toMatchObject({
        status: 'failed',
        reason: expect.stringContaining('must be free'),
      })
      expect(await readFile(item.target, 'utf8')).toBe('precious')
      expect((await readdir(at('staging'))).sort()).toEqual(['a', 'one'])
    },
  )
})
