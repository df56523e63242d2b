import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { measure, parseUsed } from './measure.ts'

const folder = mkdtempSync(join(tmpdir(), 'arriero-measure-'))
afterAll(() => rmSync(folder, { recursive: true }))

const script = (code: string) => ({ argv: [process.execPath, '-e', code] })

describe('measure()', () => {
  test('tells time, CPU and what was printed', async () => {
    const busy = 'const end = Date.now() + 300; while (Date.now() < end); console.log("done")'
    const run = await measure(script(busy), join(folder, 'used'))
    expect(run).toMatchObject({ problem: undefined, stdout: 'done\n' })
    expect(run.wallSeconds).toBeGreaterThan(0.3)
    expect(run.userSeconds + run.systemSeconds).toBeGreaterThanOrEqual(0.1)
  })

  test('keeps only the digest of what is printed where that is asked for', async () => {
    const run = await measure({ argv: ['/bin/sh', '-c', 'printf abc'], stdout: 'digest' }, join(folder, 'used'))
    expect(run.stdout).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
  })

  test('a failure is a problem with what was said, and no exception', async () => {
    const run = await measure(script('console.error("no luck"); process.exit(3)'), join(folder, 'used'))
    expect(run.problem).toBe('exit code 3: no luck')
  })

  test('a signal ends it, and what it started', async () => {
    const reason = new Error('enough')
    const running = measure(script('setInterval(() => {}, 1000)'), join(folder, 'used'), {
      signal: AbortSignal.any([AbortSignal.timeout(200)].map(signal => mapped(signal, reason))),
    })
    await expect(running).rejects.toBe(reason)
  })

  test('one that takes too long is killed', async () => {
    const run = await measure(script('setInterval(() => {}, 1000)'), join(folder, 'used'), { timeoutMs: 200 })
    expect(run.problem).toMatch(/^killed after 0\.2 s/)
  })
})

function mapped(signal: AbortSignal, reason: Error): AbortSignal {
  const controller = new AbortController()
  signal.addEventListener('abort', () => controller.abort(reason))
  return controller.signal
}

describe('parseUsed()', () => {
  test('reads GNU time', () => {
    expect(parseUsed('1.02 0.33 80124\n')).toEqual({
      userSeconds: 1.02,
      systemSeconds: 0.33,
      peakRssBytes: 80124 * 1024,
    })
  })

  test('reads a shell, whose second line is of its children', () => {
    const used = { userSeconds: 61.5, systemSeconds: 0.25, peakRssBytes: undefined }
    expect(parseUsed('0m0.01s 0m0.00s\n1m1.5s 0m0.25s\n')).toEqual(used)
  })
})
