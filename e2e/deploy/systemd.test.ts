/** The units, by systemd's own eyes where it is installed. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { read } from './files.ts'

const units = ['arriero.service', 'arriero-worker@.service']

/** Every value of a key; sections do not matter to us. */
function settingsIn(unit: string): Map<string, string[]> {
  const found = new Map<string, string[]>()
  for (const line of unit.split('\n')) {
    const [, key, value] = /^(\w+)=(.*)$/.exec(line) ?? []
    if (key !== undefined) found.set(key, [...(found.get(key) ?? []), value!])
  }
  return found
}

describe.each(units)('deploy/systemd/%s', name => {
  test('is hardened, ends in time, and is not started again where only a person can help', async () => {
    const unit = settingsIn(await read(`deploy/systemd/${name}`))
    const one = (key: string) => unit.get(key)?.at(-1)
    expect(one('User')).toBe('arriero')
    expect(one('ProtectSystem')).toBe('strict')
    expect(one('NoNewPrivileges')).toBe('yes')
    expect(one('CapabilityBoundingSet')).toBe('')
    expect(one('ReadWritePaths')).toBe(one('RequiresMountsFor'))
    expect(one('Restart')).toBe('on-failure')
    expect(one('RestartPreventExitStatus')).toBe('2')
    // Calls under way get 20 s, the whole 30.
    expect(Number(one('TimeoutStopSec'))).toBeGreaterThan(30)
    // Node compiles while it runs.
    expect(unit.has('MemoryDenyWriteExecute')).toBe(false)
  })

  test('hands over each secret as a file of its own, by the variable of its setting', async () => {
    const unit = settingsIn(await read(`deploy/systemd/${name}`))
    const credentials = unit.get('LoadCredential')!.map(value => value.split(':')[0]!)
    expect(credentials.length).toBeGreaterThan(0)
    for (const each of credentials) {
      expect(unit.get('Environment')).toContain(`LIBRARIAN_SERVER_${each.toUpperCase()}_FILE=%d/${each}`)
    }
  })

  test('is understood by systemd, and exposes little', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'arriero-units-'))
    try {
      const path = join(folder, name.replace('@', '@1'))
      // The program is not installed here; everything else is as it is.
      const unit = (await read(`deploy/systemd/${name}`)).replace(/^ExecStart=\S+/m, `ExecStart=${process.execPath}`)
      await writeFile(path, unit.replace('postgresql.service', ''))
      const told = await analyze('verify', '--man=no', path)
      if (told === undefined) return console.log(`NOT RUN ${name}: systemd-analyze is not installed`)
      expect(told).toBe('')
      const exposure = await analyze('security', '--offline=yes', '--no-pager', path)
      const level = Number(/Overall exposure level for \S+: ([\d.]+)/.exec(exposure!)?.[1])
      expect(level).toBeLessThan(3)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })
})

/** What it says of our unit; undefined where it is not installed. */
async function analyze(...args: string[]): Promise<string | undefined> {
  try {
    const { stdout, stderr } = await promisify(execFile)('systemd-analyze', args)
    return `${stdout}${stderr}`.trim()
  } catch (error) {
    const { code, stdout, stderr } = error as { code?: string | number; stdout?: string; stderr?: string }
    if (code === 'ENOENT') return undefined
    return `${stdout ?? ''}${stderr ?? ''}`.trim() || String(error)
  }
}
