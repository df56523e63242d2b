import { readFile, stat, writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, describe, expect, test } from 'vitest'
import type { RunningProgram } from '../program.ts'
import { sha256, testBytes } from './server.ts'
import { workspace } from './workspace.ts'

const body = testBytes(40_000_000)
const w = workspace()

beforeAll(() => {
  w.server.serve('/slow', { body, rate: 10_000_000 })
  w.server.serve('/stuck', { body, rate: 100 })
  w.server.serve('/stuck2', { body, rate: 100 })
})

const url = (path: string) => `${w.server.url}${path}`

/** Until some of the file is on the disk. */
async function untilBegun(path: string): Promise<void> {
  for (let left = 200; left > 0; left--) {
    const { blocks } = await stat(path).catch(() => ({ blocks: 0 }))
    if (blocks > 8192) return
    await sleep(50)
  }
  throw new Error(`nothing arrived in ${path}`)
}

async function untilThere(path: string): Promise<void> {
  for (let left = 200; left > 0; left--) {
    if (await stat(path).catch(() => undefined)) return
    await sleep(50)
  }
  throw new Error(`${path} never came`)
}

/** Until the server was asked for each of these, after the requests that there were before. */
async function untilAsked(before: number, ...paths: string[]): Promise<void> {
  for (let left = 200; left > 0; left--) {
    const asked = w.server.requests.slice(before).map(({ path }) => path)
    if (paths.every(path => asked.includes(path))) return
    await sleep(50)
  }
  throw new Error(`nobody asked for ${paths}`)
}

function interrupt({ process }: RunningProgram, signal: NodeJS.Signals = 'SIGINT'): void {
  process.kill(signal)
}

describe('Ctrl-C', () => {
  test('stops within a second, says how to go on, and the same command continues', async () => {
    const args = ['get', url('/slow'), '--connections', '1', '--checksum', `sha256:${sha256(body)}`]
    const running = w.start(args)
    await untilBegun(w.path('slow.part'))
    const since = performance.now()
    interrupt(running)
    const { code, stderr } = await running.outcome
    expect(performance.now() - since).toBeLessThan(2000)
    expect(code).toBe(130)
    expect(stderr).toMatch(/Interrupted\. The same command again continues from here\./)
    expect(await w.files()).toEqual(['slow.part', 'slow.part.journal'])

    w.server.serve('/slow', { body })
    const again = await w.run([...args, '--json'])
    expect(again.code, again.stderr).toBe(0)
    expect(JSON.parse(again.stdout).resumedBytes).toBeGreaterThan(0)
    expect((await readFile(w.path('slow'))).equals(body)).toBe(true)
    expect(await w.files()).toEqual(['slow'])
  })

  test('promises no more than is true: without a validator it begins anew, and --allow-weak-resume is named', async () => {
    const headers = { etag: 'W/"1"', 'last-modified': new Date().toUTCString() }
    w.server.serve('/weak', { body, rate: 10_000_000, headers })
    const args = ['get', url('/weak'), '--connections', '1']
    const running = w.start(args)
    await untilBegun(w.path('weak.part'))
    interrupt(running)
    const { stderr } = await running.outcome
    expect(stderr).toMatch(/Interrupted\. The same command again begins anew: .*--allow-weak-resume/)

    w.server.serve('/weak', { body, headers })
    const again = await w.run([...args, '--allow-weak-resume', '--json'])
    expect(again.code, again.stderr).toBe(0)
    expect(JSON.parse(again.stdout).resumedBytes).toBeGreaterThan(0)
    expect((await readFile(w.path('weak'))).equals(body)).toBe(true)
  })

  test('of what has not begun it says that it begins anew', async () => {
    const before = w.server.requests.length
    const running = w.start(['get', url('/stuck')])
    await untilAsked(before, '/stuck')
    interrupt(running)
    expect((await running.outcome).stderr).toMatch(/Interrupted\. The same command again begins anew\./)
    expect(await w.files()).not.toContain('stuck.part')
  })

  test('SIGTERM does the same with exit code 143', async () => {
    w.server.serve('/term', { body, rate: 10_000_000 })
    const running = w.start(['get', url('/term'), '--connections', '1'])
    await untilBegun(w.path('term.part'))
    interrupt(running, 'SIGTERM')
    expect((await running.outcome).code).toBe(143)
  })

  test('a list stops without calling what it had not done a failure', async () => {
    const before = w.server.requests.length
    const running = w.start(['get', url('/stuck'), url('/stuck2'), '-d', 'out'])
    await untilAsked(before, '/stuck', '/stuck2')
    interrupt(running)
    const { code, stderr } = await running.outcome
    expect(code).toBe(130)
    expect(stderr).not.toContain('failed')
  })

  test.each([
    ['a file', 'list.json'],
    ['a pipe', '-'],
  ])('of a list from %s leaves a summary, a report of each row, and a list of what is left', async (_, file) => {
    const small = testBytes(1000)
    w.server.serve('/small', { body: small })
    const rows = ['small', 'stuck', 'stuck2', 'gone'].map(name => ({ url: url(`/${name}`), filepath: `d/${name}` }))
    const list = rows.map(row => JSON.stringify(row)).join('\n')
    await writeFile(w.path('list.json'), list)
    const all = [
      'get',
      '--manifest',
      file,
      '-d',
      'out',
      '--report',
      'report.jsonl',
      '--concurrency',
      '2',
      '--order',
      'manifest',
    ]
    const before = w.server.requests.length
    const running = w.start(all, { input: list })
    await untilThere(w.path('out/d/small'))
    await untilAsked(before, '/stuck')
    interrupt(running)
    const { code, stderr } = await running.outcome
    expect(code, stderr).toBe(130)
    expect(stderr).toMatch(/^1 file, .*, 3 not done; see report\.jsonl$/m)
    expect(stderr).toMatch(/Interrupted\. The same command again continues/)

    const { summary } = JSON.parse(await readFile(w.path('out/.transfer/summary.json'), 'utf8'))
    const statuses = { unverified: 1, cancelled: 3 }
    expect(summary).toMatchObject({ ok: false, isInterrupted: true, rows: 4, failed: 3, statuses })
    const report = (await readFile(w.path('report.jsonl'), 'utf8')).trimEnd().split('\n')
    expect(report).toHaveLength(5)
    expect(JSON.parse(report.at(-1)!)).toEqual({ summary })
    const left = JSON.parse(await readFile(w.path('out/.transfer/failed-manifest.json'), 'utf8'))
    expect(left.map(({ filepath }: { filepath: string }) => filepath)).toEqual(['d/stuck', 'd/stuck2', 'd/gone'])

    for (const name of ['stuck', 'stuck2', 'gone']) w.server.serve(`/${name}`, { body: small })
    const again = await w.run(['get', '--manifest', 'out/.transfer/failed-manifest.json', '-d', 'out'])
    expect(again.code, again.stderr).toBe(0)
    expect(again.stderr).toMatch(/^3 files, /m)
    expect((await w.files()).filter(name => /failed-manifest|\.part/.test(name))).toEqual([])
    for (const name of ['stuck', 'stuck2']) w.server.serve(`/${name}`, { body, rate: 100 })
  })

  test('while waiting for a server that says nothing stops at once', async () => {
    const running = w.start(['cat', url('/stuck')])
    await sleep(700)
    interrupt(running)
    expect((await running.outcome).code).toBe(130)
  })
})
