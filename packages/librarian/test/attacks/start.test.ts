/** What a server must not start with (reliability 6, last rows). */
import { randomBytes } from 'node:crypto'
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect } from 'vitest'
import { loadSettings } from '../../src/config.ts'
import { silentLog } from '../../src/log.ts'
import { serve } from '../../src/main.ts'
import { makeDataDirectory } from '../../src/setup/data-directory.ts'
import { attack } from './attack.ts'

let directory: string
let settingsPath: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'librarian-start-'))
  ;({ settingsPath } = makeDataDirectory(directory, { random: randomBytes, port: 0 }))
})
afterEach(() => rmSync(directory, { recursive: true }))

async function start(path = settingsPath, env = {}): Promise<void> {
  const stop = new AbortController()
  const settings = loadSettings({ env, path })
  await serve({
    settings,
    log: silentLog,
    signal: stop.signal,
    onReady: () => stop.abort(),
    admin: { username: 'admin' },
  })
}

attack('world-readable', 'what a first start makes is its owner’s alone, and starts', async () => {
  await start()
  for (const path of ['.', 'arriero.yaml', 'encryption.key', 'catalogue.db']) {
    expect([path, (statSync(join(directory, path)).mode & 0o077).toString(8)]).toEqual([path, '0'])
  }
})

for (const [what, file] of [
  ['the key', 'encryption.key'],
  ['the catalogue', 'catalogue.db'],
] as const) {
  for (const mode of [0o604, 0o602, 0o666, 0o777]) {
    attack('world-readable', `${what} with mode ${mode.toString(8)}: no start, and how to mend it`, async () => {
      await start()
      chmodSync(join(directory, file), mode)
      const failed = await start().catch((error: unknown) => error)
      expect(failed).toMatchObject({ code: 'Configuration', message: expect.stringContaining(file) })
      expect((failed as { remedy: string }).remedy).toContain('chmod')
      chmodSync(join(directory, file), 0o600)
      await start()
    })
  }
}

const canary = 'canary-of-the-settings-7f3c9e1ab52d'

for (const [what, settings] of [
  ['a database’s password', { database_driver: 'postgresql', database_password: canary }],
  ['a catalogue’s address with a password', { catalogue: `postgres://me:${canary}@127.0.0.1:1/x` }],
  ['a key', { encryption_key: canary }],
  ['a webhook', { log_settings: { slack_webhook_url: `https://hooks.example/${canary}` } }],
  [
    'a bucket’s key',
    {
      add_stores: [
        {
          store_name: 's',
          store_type: 's3',
          ingestable: true,
          store_data: { secret_access_key: canary },
          transfer_manager_data: {},
        },
      ],
    },
  ],
] as const) {
  attack('world-readable', `settings with ${what} that everybody may read: no start, and no word of it`, async () => {
    const path = join(directory, 'open.json')
    writeFileSync(path, JSON.stringify(settings))
    chmodSync(path, 0o644)
    const failed = (await start(path).catch((error: unknown) => error)) as Error
    expect(failed).toMatchObject({ code: 'Configuration', message: expect.stringContaining('open.json') })
    expect(`${failed.message} ${failed.stack} ${JSON.stringify(failed)}`).not.toContain(canary)
  })
}

attack('world-readable', 'settings that cannot be read repeat nothing of what they hold', async () => {
  for (const text of [
    `{"encryption_key": "${canary}"`,
    `encryption_key: [${canary}`,
    `{"encryption_kee": "${canary}"}`,
  ]) {
    const path = join(directory, 'broken.json')
    writeFileSync(path, text, { mode: 0o600 })
    const failed = (await start(path).catch((error: unknown) => error)) as Error
    expect(failed).toMatchObject({ code: 'Configuration' })
    expect(`${failed.message} ${failed.stack}`).not.toContain(canary)
  }
})

attack('world-readable', 'a secret in a file of its own that everybody may read: no start', async () => {
  const secret = join(directory, 'password')
  writeFileSync(secret, canary)
  chmodSync(secret, 0o644)
  const path = join(directory, 'with-file.json')
  writeFileSync(path, JSON.stringify({ database_driver: 'postgresql', database_password_file: secret }), {
    mode: 0o600,
  })
  const failed = (await start(path).catch((error: unknown) => error)) as Error
  expect(failed).toMatchObject({ code: 'Configuration', message: expect.stringContaining('password') })
  expect(failed.message).not.toContain(canary)
})
