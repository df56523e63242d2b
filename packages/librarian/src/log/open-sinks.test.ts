import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { loadSettings } from '../config.ts'
import { createLog } from './create-log.ts'
import { openLogSinks } from './open-sinks.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sinks-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

test('one line goes to files, to Slack and to a webhook, as the settings say', async () => {
  const posts: { readonly path: string | undefined; readonly token: string | undefined; readonly body: unknown }[] = []
  const server = createServer(async (request, response) => {
    let text = ''
    for await (const piece of request.setEncoding('utf8')) text += piece
    posts.push({ path: request.url, token: request.headers.authorization, body: JSON.parse(text) })
    response.end('ok')
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const tokenFile = join(directory, 'token')
  writeFileSync(tokenFile, 'for the hook\n', { mode: 0o600 })
  const settings = loadSettings({
    env: {},
    overrides: {
      name: 'here',
      displayed_site_name: 'Here',
      data_directory: directory,
      log_settings: {
        files: { 'server.log': '1 week' },
        slack_webhook_enable: true,
        slack_webhook_url: `${url}/slack`,
      },
      notifications: { url: `${url}/hook`, token_file: tokenFile, level: 'WARNING', window: 60 },
    },
  })
  expect(settings.notifications.windowMs).toBe(60_000)
  expect(JSON.stringify(settings)).not.toContain(url)
  const problems: string[] = []
  const sinks = openLogSinks({ settings, onProblem: problem => void problems.push(problem) })
  const log = createLog({ level: 'info', name: 'here', write: line => sinks.write(line) })
  log.warn({}, 'look')
  log.error({}, 'come')
  await sinks.close()
  server.close()
  expect(problems).toEqual([])
  const file = readFileSync(join(directory, 'server.log'), 'utf8').trim().split('\n')
  expect(file.map(line => JSON.parse(line).msg)).toEqual(['look', 'come'])
  const told = posts.map(({ path, token, body }) => [path, token, (body as { count?: number }).count])
  expect(told.toSorted()).toEqual([
    ['/hook', 'Bearer for the hook', 1],
    ['/hook', 'Bearer for the hook', 1],
    ['/slack', undefined, undefined],
  ])
})

test('a level that there is none of, and a file of secrets that everybody may read, are refused', () => {
  const load = (notifications: object) => loadSettings({ env: {}, overrides: { notifications } })
  expect(() => load({ level: 'LOUD' })).toThrow(/notifications.level: LOUD/)
  const open = join(directory, 'url')
  writeFileSync(open, 'http://127.0.0.1/CANARY', { mode: 0o644 })
  expect(() => load({ url_file: open })).toThrow(/notifications.url_file|chmod/)
  expect(() => load({ url: 'http://127.0.0.1', webhook: 'x' })).toThrow(/webhook/)
})
