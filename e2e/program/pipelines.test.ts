import { execFile } from 'node:child_process'
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { beforeEach, describe, expect, test } from 'vitest'
import { workspace } from './workspace.ts'

const w = workspace()
const example = (name: string) => fileURLToPath(new URL(`../../examples/pipelines/${name}.ts`, import.meta.url))

beforeEach(() => promisify(execFile)(process.execPath, [example('make-readings'), w.path('readings')]))

describe('the examples of the manual', () => {
  test('celsius converts every file', async () => {
    const { code, stderr } = await w.run(['run', example('celsius')])
    expect(code, stderr).toBe(0)
    expect(stderr).toMatch(/30 items: 30 done/)
    expect(await readdir(w.path('celsius'))).toHaveLength(30)
    const [head, first] = (await readFile(w.path('celsius/2026-06-01.csv'), 'utf8')).split('\n')
    expect([head, first]).toEqual(['second,celsius', '0,-3.05'])
  })

  test('means names what is broken; when that is mended, the same command does what is missing', async () => {
    const args = ['run', example('means'), '--state', 'means.state', '--option', 'to=june.jsonl']
    const first = await w.run([...args, '--report', 'report.jsonl'])
    expect(first.code, first.stderr).toBe(1)
    const rows = (await readFile(w.path('report.jsonl'), 'utf8')).trimEnd().split('\n')
    expect(rows.map(row => JSON.parse(row)).find(({ ok }) => ok === false)).toMatchObject({ item: '2026-06-13.csv' })
    expect(first.stderr).toMatch(
      /failed stage_failed: map mean, item 13 \(2026-06-13\.csv\): row 4002 has no temperature: 40000,broken \(mean\.ts:\d+:\d+\)/,
    )
    const broken = join(w.path('readings'), '2026-06-13.csv')
    await writeFile(broken, (await readFile(broken, 'utf8')).replace('broken', '271.5'))
    const second = await w.run(args)
    expect(second.code, second.stderr).toBe(0)
    expect(second.stderr).toMatch(/30 items: 1 done, 29 done before/)
    const days = (await readFile(w.path('june.jsonl'), 'utf8')).trimEnd().split('\n')
    expect(days.map(line => JSON.parse(line).day).toSorted()).toEqual(
      Array.from({ length: 30 }, (_, day) => `2026-06-${String(day + 1).padStart(2, '0')}`),
    )
  })

  test('means shows its stages and options', async () => {
    const { stdout } = await w.run(['run', '--list', example('means')])
    expect(stdout).toMatch(
      /fetch +into memory\n +map mean +mean of mean\.ts, in threads\n +append .*in the order of the list/,
    )
    expect(stdout).toMatch(/from +directory or bucket .*default: readings/)
    const { stdout: json } = await w.run(['run', '--list', '--json', example('means')])
    expect(JSON.parse(json)).toMatchObject({ stages: [{ name: 'fetch' }, { name: 'map mean' }, { name: 'append' }] })
    await rm(w.path('readings'), { recursive: true })
    expect((await w.run(['run', example('means')])).code).toBe(4)
  })
})

test('Ctrl-C tells how many items are done, and with a state the same command goes on behind them', async () => {
  const module = (last: string) => `
    import { pipeline } from '@arriero/transfer'
    export default pipeline(['a', 'b', 'c']).map(name => (name === 'c' ? ${last} : name)).append('out.txt')
  `
  const state = w.path('run.state')
  await writeFile(w.path('p.ts'), module('new Promise(() => setInterval(() => {}, 1000))'))
  const running = w.start(['run', w.path('p.ts'), '--state', state])
  await untilLines(state, 3)
  running.process.kill('SIGINT')
  const { code, stderr } = await running.outcome
  expect(code).toBe(130)
  expect(stderr).toMatch(/Interrupted\. 2 items done; the same command again continues from here\./)
  await writeFile(w.path('p.ts'), module("'c'"))
  const again = await w.run(['run', w.path('p.ts'), '--state', state])
  expect(again.stderr).toMatch(/3 items: 1 done, 2 done before/)
  expect(await readFile(w.path('out.txt'), 'utf8')).toBe('a\nb\nc\n')
})

async function untilLines(path: string, least: number): Promise<void> {
  for (let left = 200; left > 0; left--) {
    const text = await readFile(path, 'utf8').catch(() => '')
    if (text.split('\n').length > least) return
    await sleep(50)
  }
  throw new Error(`${path} never had ${least} lines`)
}
