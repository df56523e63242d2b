import { readFile, stat, writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { killAndResume, randomFrom } from '../run-kills.ts'
import { workspace } from './workspace.ts'

const w = workspace()

const save = (name: string, text: string) =>
  writeFile(w.path(name), `import { pipeline } from '@arriero/transfer'\n${text}\n`)

async function untilThere(path: string): Promise<void> {
  for (let left = 400; left > 0; left--) {
    if (await stat(path).catch(() => undefined)) return
    await sleep(25)
  }
  throw new Error(`${path} never came`)
}

/** Says that it is at work, and does not end by itself. */
const WAITING = `import { writeFileSync } from 'node:fs'
export default pipeline([1, 2, 3]).map(async n => {
  if (n < 3) return n
  writeFileSync('begun', '')
  await new Promise(resolve => setTimeout(resolve, 60_000))
})`

describe('arriero run', () => {
  test('killed at random instants and run again does each item exactly once', { timeout: 120_000 }, async () => {
    const seed = Number(process.env.ARRIERO_SEED ?? Math.floor(Math.random() * 1e6))
    console.log(`seed ${seed}`)
    const { kills, problems } = await killAndResume(w.folder, 8, randomFrom(seed))
    expect(problems, `seed ${seed}`).toEqual([])
    expect(kills).toBeGreaterThan(0)
  })

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s ends it in order with code %i, and the same command continues', async (signal, expected) => {
    await save('p.ts', WAITING)
    const running = w.start(['run', 'p.ts', '--state', 'state'])
    await untilThere(w.path('begun'))
    running.process.kill(signal)
    const { code, stderr } = await running.outcome
    expect(code, stderr).toBe(expected)
    expect(stderr).toContain('2 items done; the same command again continues from here.')
    expect(stderr).not.toContain('failed')
    expect(await w.files()).toEqual(['begun', 'p.ts', 'state'])
    expect((await readFile(w.path('state'), 'utf8')).split('\n')).toHaveLength(4)
  })

  test('of two runs with one state the second is refused, named', async () => {
    await save('p.ts', WAITING)
    const first = w.start(['run', 'p.ts', '--state', 'state'])
    await untilThere(w.path('begun'))
    const second = await w.run(['run', 'p.ts', '--state', 'state'])
    expect(second.code).not.toBe(0)
    expect(second.stderr).toMatch(/Cannot use .*state: another run of the pipeline is using it/)
    first.process.kill('SIGINT')
    await first.outcome
  })

  test.each([
    ['throws when it is made', `export default () => { throw new Error('no table') }`, 2, /no table \(.*p\.ts:2\)/],
    ['waits for ever, loading', 'await new Promise(() => {})\nexport default 1', 1, /nothing will ever settle/],
    [
      'waits for ever, running',
      'export default pipeline([1]).map(() => new Promise(() => {}))',
      1,
      /nothing will ever/,
    ],
    [
      'forgets a promise',
      `export default pipeline([1]).map(async () => {
        Promise.reject(new Error('forgotten'))
        await new Promise(resolve => setTimeout(resolve, 500)) })`,
      1,
      /nobody caught: Error: forgotten \(p\.ts:3:\d+\)/,
    ],
    ['has no keys for a state', 'export default pipeline([new Map()])', 2, /Cannot tell item 1 from the others/],
    [
      'has a list that throws',
      `export default pipeline((function* () { throw new Error('no row') })())`,
      1,
      /list, item 1: no row \(p\.ts:2:\d+\)/,
    ],
  ])('a pipeline that %s is named, and no success', async (_, text, expected, message) => {
    await save('p.ts', text)
    const { code, stderr } = await w.run(['run', 'p.ts', '--state', 'state'])
    expect(stderr).toMatch(message)
    expect(code).toBe(expected)
  })

  test('Ctrl-C ends what is still loading, and a list without an end', async () => {
    await save(
      'loading.ts',
      `import { writeFileSync } from 'node:fs'
      writeFileSync('begun', '')
      await new Promise(resolve => setTimeout(resolve, 60_000))`,
    )
    await save(
      'endless.ts',
      `import { writeFileSync } from 'node:fs'
      export default pipeline(function* () { for (let n = 0; ; n++) { if (n === 1000) writeFileSync('begun 2', ''); yield n } })`,
    )
    for (const [file, sign] of [
      ['loading.ts', 'begun'],
      ['endless.ts', 'begun 2'],
    ] as const) {
      const running = w.start(['run', file])
      await untilThere(w.path(sign))
      running.process.kill('SIGINT')
      expect((await running.outcome).code).toBe(130)
    }
  })

  test('no secret of an item is written down or told', async () => {
    await save(
      'p.ts',
      `export default pipeline(['https://me:pw1234@h.example/a?sig=s3cr3t', 'b?token=t0ken']).map((item, { warn }) => {
      warn(item)
      throw new Error('cannot have ' + item) })`,
    )
    const { stdout, stderr } = await w.run(['run', 'p.ts', '--state', 'state', '--report', 'report', '--json'])
    await save('q.ts', `export default pipeline(['https://me:pw1234@h.example/a?sig=s3cr3t'])`)
    await w.run(['run', 'q.ts', '--state', 'state2'])
    const kept = await Promise.all(['state', 'state2', 'report'].map(name => readFile(w.path(name), 'utf8')))
    for (const text of [stdout, stderr, ...kept]) expect(text).not.toMatch(/pw1234|s3cr3t|t0ken/)
  })

  test('a report on a full disk is named', async () => {
    await save('p.ts', 'export default pipeline([1, 2])')
    const { code, stderr } = await w.run(['run', 'p.ts', '--report', '/dev/full'])
    expect(stderr).toContain('Cannot write the report /dev/full: the disk is full')
    expect(code).toBe(7)
  })
})
