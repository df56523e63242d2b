import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { sha256, testBytes } from './server.ts'
import { workspace } from './workspace.ts'

const w = workspace()
const body = testBytes(3_000_000)

async function linesOf(file: string): Promise<Record<string, unknown>[]> {
  const text = await readFile(w.path(file), 'utf8')
  expect(text.endsWith('\n')).toBe(true)
  return text
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line))
}

const phasesIn = (lines: Record<string, unknown>[]) =>
  lines.flatMap(({ marks = [] }) => (marks as { name: string }[]).map(({ name }) => name))

describe('arriero --profile', () => {
  test('get: a line for each interval, which summary and plot can read', async () => {
    w.server.serve('/a.bin', { body, rate: 4_000_000 })
    const get = await w.run(['get', `${w.server.url}/a.bin`, '--profile', 'run.profile', '--profile-interval', '50ms'])
    expect(get).toMatchObject({ code: 0 })
    const lines = await linesOf('run.profile')
    expect(lines.length).toBeGreaterThan(4)
    expect(phasesIn(lines)).toEqual(['prepare', 'fetch', 'verify', 'publish'])
    expect(Math.max(...lines.map(({ goodput }) => Number(goodput)))).toBeGreaterThan(0)

    const summary = await w.run(['profile', 'summary', 'run.profile'])
    expect(summary).toMatchObject({ code: 0, stderr: '' })
    expect(summary.stdout).toMatch(/^Duration: \d+\.\d{3} sec\n\ncpu_avg \(%\)\n {2}avg: +\d+\.\d{4}\n/)
    expect(summary.stdout).toMatch(/goodput \(Gbit\/s\)[\s\S]*Phases\n {2}prepare: /)
    const json = await w.run(['profile', 'summary', 'run.profile', '--json'])
    expect(JSON.parse(json.stdout)).toMatchObject({ samples: lines.length, metrics: { goodput: { unit: 'Gbit/s' } } })

    expect(await w.run(['profile', 'plot', 'run.profile'])).toMatchObject({ code: 0, stderr: 'run.profile.svg\n' })
    expect(await readFile(w.path('run.profile.svg'), 'utf8')).toMatch(/^<\?xml[\s\S]*Goodput[\s\S]*<\/svg>\n$/)
    expect(await w.run(['profile', 'plot', 'run.profile', '-o', 'run.html', '-q'])).toMatchObject({
      code: 0,
      stderr: '',
    })
    expect(await readFile(w.path('run.html'), 'utf8')).toMatch(/^<!doctype html>[\s\S]*const hover = /)
  })

  test('a list, cat, verify and the Gen3 commands are profiled as well', async () => {
    w.server.serve('/a.bin', { body })
    const url = `${w.server.url}/a.bin`
    await writeFile(w.path('list.txt'), `${url}\n`)
    const many = await w.run(['get', '-m', 'list.txt', '-d', 'data', '--profile', 'many.profile'])
    const cat = await w.run(['cat', url, '--profile', 'cat.profile'])
    const checksum = `sha256:${sha256(body)}`
    const verify = await w.run(['verify', 'data/a.bin', '--checksum', checksum, '--profile', 'verify.profile'])
    expect([many.code, cat.code, verify.code]).toEqual([0, 0, 0])
    expect(phasesIn(await linesOf('many.profile'))).toContain('fetch')
    expect(cat.stdoutBytes.length).toBe(body.length)
    expect(phasesIn(await linesOf('cat.profile'))).toContain('fetch')
    expect(phasesIn(await linesOf('verify.profile'))).toEqual(['verify'])
    await writeFile(w.path('manifest.json'), JSON.stringify([{ url }]))
    const gen3 = ['gen3', 'download-manifest', 'manifest.json', '--path', 'gen3', '--profile-file', 'gen3.profile']
    await w.run(gen3)
    expect((await linesOf('gen3.profile')).length).toBeGreaterThan(0)
  })

  test('an interrupted run leaves a whole profile', async () => {
    w.server.serve('/slow.bin', { body, rate: 100_000 })
    const running = w.start(['get', `${w.server.url}/slow.bin`, '--profile', 'cut.profile', '--progress', 'json'])
    const fetching = new Promise<void>(resolve => {
      let told = ''
      running.process.stderr!.on('data', text => {
        told += text
        if (/"landed":[1-9]/.test(told)) resolve()
      })
    })
    await Promise.race([fetching, running.outcome])
    running.process.kill('SIGINT')
    expect((await running.outcome).code).toBe(130)
    expect(phasesIn(await linesOf('cut.profile')).slice(0, 2)).toEqual(['prepare', 'fetch'])
  })

  test('a profile that cannot be written is told before anything is fetched', async () => {
    w.server.serve('/a.bin', { body })
    await mkdir(w.path('taken'))
    const { code, stderr } = await w.run(['get', `${w.server.url}/a.bin`, '--profile', 'taken'])
    expect(code).toBe(7)
    expect(stderr).toContain('Cannot write taken: it is a directory')
    expect([w.server.requests, await w.files()]).toEqual([[], ['taken']])
  })

  test.runIf(process.platform === 'linux')(
    'a full disk ends the profile with a warning, not the transfer',
    async () => {
      w.server.serve('/a.bin', { body })
      const { code, stderr } = await w.run(['get', `${w.server.url}/a.bin`, '--profile', '/dev/full'])
      expect(code).toBe(0)
      expect(stderr).toMatch(/The profile ends here: Cannot write \/dev\/full: the disk is full/)
      expect(await readFile(w.path('a.bin'))).toEqual(body)
    },
  )

  test('what cannot be meant is wrong usage', async () => {
    const url = `${w.server.url}/a.bin`
    const usage = async (...args: string[]) => {
      const { code, stderr } = await w.run(args)
      expect(code).toBe(2)
      return stderr
    }
    expect(await usage('get', url, '--profile-interval', '1s')).toContain('nothing names a file')
    expect(await usage('get', url, '--profile', 'x', '--profile-interval', '1ms')).toContain('between 10ms and 1h')
    expect(await usage('get', url, '--profile', 'x', '--dry-run')).toContain('nothing to profile')
    await writeFile(w.path('empty'), '')
    expect(await usage('profile', 'summary', 'empty')).toContain('has no samples')
    expect(await usage('profile', 'plot', 'empty', '-o', 'x.png')).toContain('must end with .svg or .html')
    await writeFile(w.path('bad'), '{"timestamp":"2026-01-01T00:00:00Z"}\n')
    expect(await usage('profile', 'plot', 'bad')).toContain('bad, line 1: cpu_avg is missing')
    expect(w.server.requests).toEqual([])
    expect(await w.files()).toEqual(['bad', 'empty'])
  })
})
