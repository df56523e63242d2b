import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { Secret } from '../config.ts'
import { createLog } from './create-log.ts'
import { createSlack, type SlackOptions } from './slack.ts'

let server: Server | undefined
afterEach(() => {
  server?.closeAllConnections()
  server?.close()
})

interface Hook {
  readonly url: string
  readonly posts: { readonly username: string; readonly icon_emoji: string; readonly text: string }[]
  readonly times: number[]
}

/** A webhook on loopback; `answer` says what becomes of each post, counted from 1. */
async function startHook(answer: (count: number, response: ServerResponse) => void): Promise<Hook> {
  const posts: Hook['posts'] = []
  const times: number[] = []
  let count = 0
  server = createServer(async (request: IncomingMessage, response) => {
    let body = ''
    for await (const piece of request.setEncoding('utf8')) body += piece
    posts.push(JSON.parse(body))
    times.push(performance.now())
    answer(++count, response)
  })
  await new Promise<void>(resolve => server!.listen(0, '127.0.0.1', resolve))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/services/CANARY`, posts, times }
}

const ok = (_: number, response: ServerResponse) => void response.end('ok')

function slackTo(hook: Hook, more: Partial<SlackOptions> = {}) {
  const problems: string[] = []
  const onProblem = (message: string) => void problems.push(message)
  const slack = createSlack({
    url: new Secret(hook.url),
    level: 'ERROR',
    username: 'Site',
    onProblem,
    pauseMs: 1,
    ...more,
  })
  const log = createLog({ level: 'debug', name: 'site', write: line => slack.write(line) })
  return { slack, log, problems }
}

test('records of a level and worse are posted, as five lines that call nobody', async () => {
  const hook = await startHook(ok)
  const { slack, log, problems } = slackTo(hook)
  log.warn({}, 'only a warning')
  log.error({ caller: 'recovery', id: 'ab12' }, 'The store <!channel> is\nfull & password=CANARY')
  await slack.close()
  expect(hook.posts).toHaveLength(1)
  const [{ username, icon_emoji, text } = { username: '', icon_emoji: '', text: '' }] = hook.posts
  expect({ username, icon_emoji }).toEqual({ username: 'Site', icon_emoji: ':ledger:' })
  const lines = text.split('\n')
  expect(lines.slice(0, 3)).toEqual(['ERROR', 'recovery', 'ab12'])
  expect(lines[3]).toMatch(/^The store &lt;!channel&gt; is full &amp; /)
  expect(lines[4]).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}$/)
  expect(text).not.toContain('CANARY')
  expect(problems).toEqual([])
})

test('a level of the settings is taken in any case', async () => {
  const hook = await startHook(ok)
  const { slack, log } = slackTo(hook, { level: 'warning' })
  log.warn({}, 'a')
  log.info({}, 'b')
  await slack.close()
  expect(hook.posts).toHaveLength(1)
})

test('a webhook that asks for time is asked again later; one that refuses is not', async () => {
  const hook = await startHook((count, response) => {
    if (count === 1) response.writeHead(429, { 'retry-after': '0.05' }).end()
    else if (count === 2) response.writeHead(500).end()
    else if (count === 4) response.writeHead(404).end()
    else response.end('ok')
  })
  const { slack, log, problems } = slackTo(hook)
  log.error({}, 'first')
  log.error({}, 'second')
  log.error({}, 'third')
  await slack.close()
  expect(hook.posts.map(({ text }) => text.split('\n')[3])).toEqual(['first', 'first', 'first', 'second', 'third'])
  expect(hook.posts.at(-1)?.text).toContain('(1 more were not sent)')
  expect(hook.times[1]! - hook.times[0]!).toBeGreaterThanOrEqual(45)
  expect(problems.join()).toMatch(/it answered 429/)
  expect(problems.join()).not.toContain('CANARY')
})

test('a webhook that never answers holds up neither those who log nor the end', async () => {
  const hook = await startHook(() => {})
  const { slack, log, problems } = slackTo(hook, { timeoutMs: 50, closeMs: 200, most: 10 })
  for (let at = 0; at < 1000; at++) log.error({}, `message ${at}`)
  await slack.close()
  expect(hook.posts.length).toBeLessThan(50)
  expect(problems).toEqual([expect.stringMatching(/does not take messages/)])
})

test('a webhook that is not there is told without its address', async () => {
  const hook = await startHook(ok)
  server!.close()
  const { slack, log, problems } = slackTo(hook)
  log.error({}, 'x')
  await slack.close()
  expect(problems).toEqual(['The Slack webhook does not take messages: it cannot be reached'])
})

test('no redirect is followed', async () => {
  const hook = await startHook((_, response) => void response.writeHead(307, { location: '/elsewhere' }).end())
  const { slack, log, problems } = slackTo(hook)
  log.error({}, 'x')
  await slack.close()
  expect(hook.posts.length).toBeLessThanOrEqual(3)
  expect(problems).toHaveLength(1)
})
