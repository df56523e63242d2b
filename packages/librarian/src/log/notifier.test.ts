import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { Secret } from '../config.ts'
import { createLog } from './create-log.ts'
import { createNotifier, type NotifierOptions } from './notifier.ts'
import { slackForm } from './slack.ts'
import { type Webhook, webhookForm } from './webhook.ts'

let server: Server | undefined
afterEach(() => {
  server?.closeAllConnections()
  server?.close()
})

interface Hook<Body> {
  readonly url: string
  readonly posts: Body[]
  readonly headers: IncomingHttpHeaders[]
  readonly times: number[]
}

interface SlackBody {
  readonly username: string
  readonly icon_emoji: string
  readonly text: string
}

/** A webhook on loopback; `answer` says what becomes of each post, counted from 1. */
async function startHook<Body = SlackBody>(
  answer: (count: number, response: ServerResponse) => void,
): Promise<Hook<Body>> {
  const posts: Body[] = []
  const headers: IncomingHttpHeaders[] = []
  const times: number[] = []
  let count = 0
  server = createServer(async (request: IncomingMessage, response) => {
    let body = ''
    for await (const piece of request.setEncoding('utf8')) body += piece
    posts.push(JSON.parse(body))
    headers.push(request.headers)
    times.push(performance.now())
    answer(++count, response)
  })
  await new Promise<void>(resolve => server!.listen(0, '127.0.0.1', resolve))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/services/CANARY`, posts, headers, times }
}

const ok = (_: number, response: ServerResponse) => void response.end('ok')

/** A log whose severe lines go to a webhook, in the form of Slack unless another is asked for. */
function notify(url: string, more: Partial<NotifierOptions> = {}) {
  const problems: string[] = []
  const notifier = createNotifier({
    hook: { url: new Secret(url), timeoutMs: 5000 },
    level: 'ERROR',
    form: slackForm('Site'),
    what: 'The Slack webhook',
    onProblem: message => void problems.push(message),
    pauseMs: 1,
    ...more,
  })
  const log = createLog({ level: 'debug', name: 'site', write: line => notifier.write(line) })
  return { notifier, log, problems }
}

test('records of a level and worse are posted, as five lines that call nobody', async () => {
  const hook = await startHook(ok)
  const { notifier, log, problems } = notify(hook.url)
  log.warn({}, 'only a warning')
  log.error({ caller: 'recovery', request: 'ab12' }, 'The store <!channel> is\nfull & password=CANARY')
  await notifier.close()
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
  const { notifier, log } = notify(hook.url, { level: 'warning' })
  log.warn({}, 'a')
  log.info({}, 'b')
  await notifier.close()
  expect(hook.posts).toHaveLength(1)
})

test('a webhook that asks for time is asked again later; one that refuses is not', async () => {
  const hook = await startHook((count, response) => {
    if (count === 1) response.writeHead(429, { 'retry-after': '0.05' }).end()
    else if (count === 2) response.writeHead(500).end()
    else if (count === 4) response.writeHead(404).end()
    else response.end('ok')
  })
  const { notifier, log, problems } = notify(hook.url)
  log.error({}, 'first')
  log.error({}, 'second')
  log.error({}, 'third')
  await notifier.close()
  expect(hook.posts.map(({ text }) => text.split('\n')[3])).toEqual(['first', 'first', 'first', 'second', 'third'])
  expect(hook.posts.at(-1)?.text).toContain('(1 more were not sent)')
  expect(hook.times[1]! - hook.times[0]!).toBeGreaterThanOrEqual(45)
  expect(problems.join()).toMatch(/it answered 429/)
  expect(problems.join()).not.toContain('CANARY')
})

test('a webhook that never answers holds up neither those who log nor the end', async () => {
  const hook = await startHook(() => {})
  const { notifier, log, problems } = notify(hook.url, {
    hook: { url: new Secret(hook.url), timeoutMs: 50 },
    closeMs: 200,
    mostWaiting: 10,
  })
  for (let at = 0; at < 1000; at++) log.error({}, `message ${at}`)
  await notifier.close()
  expect(hook.posts.length).toBeLessThan(50)
  expect(problems).toEqual([expect.stringMatching(/does not take messages/)])
})

test('the same message again within the window is counted, and sent once when it ends', async () => {
  const hook = await startHook(ok)
  const { notifier, log } = notify(hook.url, { windowMs: 300 })
  log.error({}, 'The disk is full')
  await expect.poll(() => hook.posts.length).toBe(1)
  for (let at = 0; at < 500; at++) log.error({}, 'The disk is full')
  await expect.poll(() => hook.posts.length, { timeout: 5000 }).toBe(2)
  await notifier.close()
  expect(hook.posts.map(({ text }) => text.split('\n')[3])).toEqual([
    'The disk is full',
    'The disk is full (500 times)',
  ])
  expect(hook.times[1]! - hook.times[0]!).toBeGreaterThan(200)
})

test('what came again is told at the end, where its window is longer', async () => {
  const hook = await startHook(ok)
  const { notifier, log } = notify(hook.url)
  for (let at = 0; at < 3; at++) log.error({}, 'again')
  await notifier.close()
  expect(hook.posts.map(({ text }) => text.split('\n')[3])).toEqual(['again', 'again (2 times)'])
})

test('a burst is one summary with the first few, and counts all of it', async () => {
  const hook = await startHook(ok)
  const { notifier, log } = notify(hook.url, { mostWaiting: 10 })
  for (let at = 0; at < 200; at++) log.error({}, `copy ${at} is <bad>`)
  await notifier.close()
  expect(hook.posts).toHaveLength(1)
  const lines = hook.posts[0]!.text.split('\n')
  expect(lines[0]).toBe('200 messages at once, among them:')
  expect(lines.slice(1)).toEqual([0, 1, 2, 3, 4].map(at => `ERROR copy ${at} is &lt;bad&gt;`))
})

test('a webhook of ours gets JSON that a program can read, with its token, and no secret', async () => {
  const hook = await startHook<Webhook>(ok)
  const { notifier, log } = notify(hook.url, {
    hook: { url: new Secret(hook.url), token: new Secret('for the hook') },
    form: webhookForm({ librarian: 'here', site: 'Here' }),
  })
  const cause = new Error('https://u:CANARY@h/?token=CANARY did not answer')
  log.error({ request: 'ab12', transfer: 7, err: new Error('It failed', { cause }) }, 'password=CANARY was wrong')
  await notifier.close()
  expect(hook.headers[0]?.authorization).toBe('Bearer for the hook')
  expect(hook.posts).toEqual([
    {
      version: 1,
      librarian: 'here',
      site: 'Here',
      count: 1,
      lost: 0,
      messages: [
        {
          level: 'error',
          time: expect.stringMatching(/^\d{4}-.*Z$/),
          caller: 'server',
          place: 'Error transfer 7 ab12',
          message: expect.stringContaining('It failed'),
          request: 'ab12',
          transfer: 7,
        },
      ],
    },
  ])
  expect(JSON.stringify(hook.posts)).not.toContain('CANARY')
})

test('a webhook that is not there is told without its address', async () => {
  const hook = await startHook(ok)
  server!.close()
  const { notifier, log, problems } = notify(hook.url)
  log.error({}, 'x')
  await notifier.close()
  expect(problems).toEqual(['The Slack webhook does not take messages: it cannot be reached'])
})

test('no redirect is followed', async () => {
  const hook = await startHook((_, response) => void response.writeHead(307, { location: '/elsewhere' }).end())
  const { notifier, log, problems } = notify(hook.url)
  log.error({}, 'x')
  await notifier.close()
  expect(hook.posts).toHaveLength(4)
  expect(problems).toHaveLength(1)
})
