import { execFileSync } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { testBytes } from './server.ts'
import { workspace } from './workspace.ts'

const w = workspace()
const url = (path: string) => `${w.server.url}${path}`
const small = ['--connections', '1,2', '--part-size', '256KiB', '--repeat', '1']

async function jsonLines(path: string) {
  return (await readFile(path, 'utf8'))
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line))
}

function has(program: string, question = '--version'): boolean {
  try {
    execFileSync(program, [question], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

describe('arriero bench', () => {
  test('without a URL measures a local server, round by round, and recommends', async () => {
    const args = ['bench', '--size', '4MiB', ...small, '--output', 'r.jsonl', '--plot', 'heat.svg', '--log', 'b.log']
    const { code, stdout, stderr } = await w.run(args)
    expect(code, stderr).toBe(0)
    expect(stderr).toContain('6 runs, about 24.0 MiB')
    expect(stdout).toMatch(/^Recommended: arriero get …/m)
    const runs = await jsonLines(w.path('r.jsonl'))
    expect(runs.map(run => run.configuration.name)).toEqual(['defaults', '1 × 256KiB', '2 × 256KiB'])
    for (const run of runs) {
      expect(run).toMatchObject({ tool: 'arriero', scenario: 'plain', bytes: 4 * 2 ** 20, is_right: true, round: 1 })
      expect(run.wall_seconds).toBeGreaterThan(0)
      expect(run.user_cpu_seconds + run.system_cpu_seconds).toBeGreaterThan(0)
    }
    expect(runs[1].peak_connections).toBe(1)
    expect(runs[2].peak_connections).toBe(2)
    expect(await readFile(w.path('heat.svg'), 'utf8')).toContain('256KiB')
    expect((await jsonLines(w.path('b.log'))).map(({ event }) => event)).toEqual(['measured', 'measured', 'measured'])
    // Everything else is gone.
    expect(await w.files()).toEqual(['b.log', 'heat.svg', 'r.jsonl'])
  })

  test('the help of report has its own options, and not those of measuring', async () => {
    const { code, stdout } = await w.run(['bench', 'report', '--help'])
    expect(code).toBe(0)
    expect(stdout.match(/--(output|format|max-bytes|json)\b/g)).toEqual(
      expect.arrayContaining(['--output', '--format', '--json']),
    )
    expect(stdout).not.toMatch(/--max-bytes|append every/)
  })

  test('measures a URL of the user’s, with flags of get; secrets stay out of the results', async () => {
    w.server.serve('/x.nc', { body: testBytes(1 << 20) })
    const args = ['bench', url('/x.nc?sig=hunter2'), '--to', 'null', ...small, '--output', 'r.jsonl']
    const { code, stderr } = await w.run([...args, '--', '--header', 'X-Key: hunter3'])
    expect(code, stderr).toBe(0)
    expect(new Set(w.server.requests.map(({ headers }) => headers['x-key']))).toEqual(new Set(['hunter3']))
    const text = await readFile(w.path('r.jsonl'), 'utf8')
    expect(text).not.toMatch(/hunter/)
    expect((await jsonLines(w.path('r.jsonl'))).every(run => run.is_right)).toBe(true)
  })

  test('a URL without ranges is told, and measured', async () => {
    w.server.serve('/plain', { status: 200, body: testBytes(1 << 20), headers: { 'content-length': '1048576' } })
    const { code, stdout, stderr } = await w.run(['bench', url('/plain'), '--to', 'memory', ...small])
    expect(code, stderr).toBe(0)
    expect(stdout).toContain('No run used more than one connection')
  })

  test('a URL that is not there ends it before anything is moved', async () => {
    const { code, stderr } = await w.run(['bench', url('/none')])
    expect(code).toBe(4)
    expect(stderr).toMatch(/^arriero: .*\/none/)
    expect(await w.files()).toEqual([])
  })

  test('bytes that change from run to run are told and never counted', async () => {
    let body = 0
    w.server.serve('/changing', {
      get body() {
        return Buffer.alloc(1000, ++body)
      },
    })
    const { code, stderr, stdout } = await w.run(['bench', url('/changing'), ...small, '--output', 'r.jsonl'])
    expect(code).toBe(1)
    expect(stderr).toContain('WRONG BYTES')
    expect(stdout).not.toMatch(/^arriero 2 × 256KiB +\d/m)
    expect(
      (await jsonLines(w.path('r.jsonl'))).some(run => run.is_right && run.configuration.name === '2 × 256KiB'),
    ).toBe(false)
  })

  test('--dry-run shows the plan and moves nothing', async () => {
    w.server.serve('/x.nc', { body: testBytes(1 << 20) })
    const { code, stdout } = await w.run(['bench', url('/x.nc'), ...small, '--dry-run'])
    expect(code).toBe(0)
    expect(stdout).toContain('6 runs, about 6.00 MiB')
    expect(stdout).toMatch(/^\S+ {2}arriero bench-run .* --connections 2 --part-size 256KiB$/m)
    expect(w.server.requests.length).toBeLessThanOrEqual(2)
  })

  test('--max-bytes and --max-time end it with what was measured', async () => {
    const bytes = await w.run(['bench', '--to', 'null', '--size', '1MiB', ...small, '--max-bytes', '5MiB', '--json'])
    expect(bytes.stdout.trimEnd().split('\n')).toHaveLength(3)
    expect(bytes.stderr).toContain('the bytes of --max-bytes are used up')
    w.server.serve('/slow', { body: testBytes(1 << 20), rate: 100_000 })
    const time = await w.run(['bench', url('/slow'), ...small, '--max-time', '1s'])
    expect(time.stderr).toContain('the time of --max-time is over: 0 runs')
    expect(await w.files()).toEqual([])
  })

  test('Ctrl-C ends it, leaves what was measured and nothing else', async () => {
    const running = w.start(['bench', '--size', '2MiB', ...small, '--repeat', '50', '--output', 'r.jsonl'])
    await new Promise<void>(resolve => {
      running.process.stderr!.on('data', text => /round 2/.test(text) && resolve())
    })
    running.process.kill('SIGINT')
    const { code, stderr } = await running.outcome
    expect(code).toBe(130)
    expect(stderr).toContain('What was measured is in r.jsonl.')
    expect((await jsonLines(w.path('r.jsonl'))).length).toBeGreaterThanOrEqual(4)
    expect(await w.files()).toEqual(['r.jsonl'])
  })

  test('a results file on a full disk ends it with one clear line', async () => {
    const { code, stderr } = await w.run(['bench', '--to', 'null', '--size', '1MiB', ...small, '--output', '/dev/full'])
    expect(code).toBe(7)
    expect(stderr).toContain('Cannot write the results /dev/full: the disk is full')
    expect(await w.files()).toEqual([])
  })

  const peers = ['curl', 'wget2'].filter(program => has(program))
  if (peers.length === 0) console.log('NOT RUN bench --compare: neither curl nor wget2 is installed')
  test.skipIf(peers.length === 0)('--compare runs peers in the same rounds and compares their bytes', async () => {
    const { code, stdout, stderr } = await w.run([
      'bench',
      '--size',
      '2MiB',
      ...small,
      '--compare',
      peers.join(','),
      '--json',
    ])
    expect(code, stderr).toBe(0)
    const runs = stdout
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line))
      .slice(0, -1)
    for (const peer of peers) {
      expect(runs.find(({ tool }) => tool === peer)).toMatchObject({
        is_right: true,
        configuration: null,
        retries: null,
      })
    }
  })

  test('a certificate of its own makes the tls target', async () => {
    if (!has('openssl', 'version')) return console.log('NOT RUN bench --targets tls: openssl is not installed')
    const { code, stdout, stderr } = await w.run([
      'bench',
      '--to',
      'null',
      '--targets',
      'tls',
      '--size',
      '1MiB',
      ...small,
    ])
    expect(code, stderr).toBe(0)
    expect(stdout).toMatch(/^tls: 1\.00 MiB/)
  })

  test('report makes tables and pictures of results, and names a broken line', async () => {
    await w.run(['bench', '--to', 'null', '--size', '1MiB', ...small, '--output', 'r.jsonl', '--quiet'])
    for (const name of ['r.md', 'r.csv', 'r.svg', 'r.html']) {
      expect(await w.run(['bench', 'report', 'r.jsonl', '--output', name])).toMatchObject({ code: 0, stdout: '' })
    }
    expect(await readFile(w.path('r.md'), 'utf8')).toContain('| arriero 2 × 256KiB | ')
    expect((await w.run(['bench', 'report', 'r.jsonl', '--format', 'downloadperf'])).stdout).toMatch(
      /^# plain arriero defaults\nDownloadPerf 1 \d+\.\d\d 0 0\n/,
    )
    await writeFile(w.path('r.jsonl'), '{"tool":"curl"}\n', { flag: 'a' })
    const { code, stderr } = await w.run(['bench', 'report', 'r.jsonl'])
    expect([code, stderr]).toEqual([2, expect.stringContaining('r.jsonl, line 4: no run of a benchmark')])
  })
})

describe('arriero log', () => {
  test('get writes a log in either form, and the viewer reads both', async () => {
    w.server.serve('/x.nc', { body: testBytes(1 << 20) })
    for (const format of ['arriero', 'retriever']) {
      const log = `${format}.log`
      const args = ['get', url('/x.nc'), `${format}.nc`, '--log', log, '--log-format', format]
      expect(await w.run(args)).toMatchObject({ code: 0 })
      await w.run(['get', url('/none'), '--log', log, '--log-format', format])
      const { code, stdout } = await w.run(['log', 'view', log, '--level', 'info'])
      expect(code).toBe(0)
      expect(stdout).toMatch(/^INFO - \d\d:\d\d:\d\d\.\d{3} - sink - .*done.*\nERROR - .* - run - .*failed/m)
      const ofOne = (await w.run(['log', 'view', log, '--file', '/none'])).stdout.trimEnd().split('\n')
      expect(ofOne.at(-1)).toMatch(/^ERROR/)
      for (const line of ofOne) expect(line).toContain('/none')
    }
    expect(Object.keys((await jsonLines(w.path('retriever.log')))[0])).toEqual([
      ...['level', 'log', 'actor', 'timestamp', 'log_id', 'tags'],
    ])
    const piped = await w.run(['log', 'view', '-'], { input: await readFile(w.path('arriero.log')) })
    expect(piped.stdout).toMatch(/^INFOV - /m)
  })

  test('what is no log is told, and --log-format alone is refused', async () => {
    await writeFile(w.path('x'), 'hello\n')
    expect(await w.run(['log', 'view', 'x'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('no line of a log'),
    })
    expect(await w.run(['log', 'view', 'none'])).toMatchObject({ code: 7 })
    expect(await w.run(['get', url('/x'), '--log-format', 'arriero'])).toMatchObject({ code: 2 })
  })
})
