import { mkdir, writeFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { sha256 } from './server.ts'
import { workspace } from './workspace.ts'

const w = workspace()
const text = 'not one byte changed\n'
const digest = sha256(Buffer.from(text))

describe('arriero verify', () => {
  test('one file: ok, mismatch, missing, unreadable, each with its exit code', async () => {
    await writeFile(w.path('good'), text)
    await writeFile(w.path('bad'), text.replace('one', '0ne'))
    await mkdir(w.path('folder'))
    const verify = (file: string) => w.run(['verify', file, '--checksum', `sha256:${digest}`])
    expect(await verify('good')).toMatchObject({ code: 0, stdout: 'good: ok (sha256)\n' })
    const bad = await verify('bad')
    expect(bad.code).toBe(3)
    expect(bad.stdout).toMatch(new RegExp(`^bad: MISMATCH .*sha256 must be ${digest}, got [0-9a-f]{64}`))
    expect(await verify('nothing')).toMatchObject({ code: 4, stdout: 'nothing: MISSING\n' })
    expect((await verify('folder')).code).toBe(7)
  })

  test('a list of sha256sum: all states are told apart and add up, exit 1', async () => {
    await writeFile(w.path('good'), text)
    await writeFile(w.path('bad'), 'else\n')
    await writeFile(w.path('SHA256SUMS'), ['good', 'bad', 'gone'].map(name => `${digest}  ${name}\n`).join(''))
    const { code, stdout, stderr } = await w.run(['verify', '--manifest', 'SHA256SUMS'])
    expect(code).toBe(1)
    expect(stdout).toMatch(/^good: ok/m)
    expect(stdout).toMatch(/^bad: MISMATCH/m)
    expect(stdout).toMatch(/^gone: MISSING/m)
    expect(stderr).toContain('3 listed: 1 ok, 1 mismatch, 1 missing')
  })

  test('a list without checksums proves nothing: unverifiable, exit 1', async () => {
    await writeFile(w.path('good'), text)
    await writeFile(w.path('list.json'), JSON.stringify([{ url: 'http://h/good' }]))
    const { code, stdout } = await w.run(['verify', '--manifest', 'list.json'])
    expect(code).toBe(1)
    expect(stdout).toMatch(/^good: UNVERIFIABLE/m)
  })

  test('--json: a line for each file and a summary; --quiet: only what is wrong', async () => {
    await writeFile(w.path('good'), text)
    await writeFile(w.path('SHA256SUMS'), `${digest}  good\n${digest}  gone\n`)
    const { stdout } = await w.run(['verify', '-m', 'SHA256SUMS', '--json'])
    const rows = stdout
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line))
    expect(rows).toHaveLength(3)
    expect(rows).toContainEqual(expect.objectContaining({ name: 'good', ok: true, state: 'ok', reads: 1 }))
    expect(rows.at(-1)).toEqual({ summary: expect.objectContaining({ listed: 2, ok: 1, missing: 1 }) })
    const quiet = await w.run(['verify', '-m', 'SHA256SUMS', '--quiet'])
    expect(quiet).toMatchObject({ code: 1, stdout: '', stderr: 'gone: MISSING\n' })
  })

  test('a name that leads out of the directory is not read', async () => {
    await writeFile(w.path('SHA256SUMS'), `${digest}  ../../etc/passwd\n`)
    const { code, stdout } = await w.run(['verify', '-m', 'SHA256SUMS'])
    expect(code).toBe(1)
    expect(stdout).toMatch(/UNVERIFIABLE/)
  })
})
