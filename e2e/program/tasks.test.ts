/** `arriero tasks` with a librarian that answers by the table of endpoints. */
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { arriero } from '../program.ts'

const task = {
  id: 'scrub:0',
  kind: 'scrub',
  name: 'nightly',
  state: 'waiting',
  started_time: '2026-11-20T21:00:00',
  ended_time: '2026-11-20T22:03:37.619866',
  outcome: 'partial',
  note: 'half of it',
  counts: { read: 12 },
  next_time: '2026-11-21T21:00:00',
}
const running = { ...task, id: 'repair:0', kind: 'repair', name: 'mend', state: 'running', next_time: null }

let tasks: readonly object[] = []
let ran: string[] = []
let home!: string

const server = createServer(async (request, response) => {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const body = chunks.length === 0 ? {} : JSON.parse(Buffer.concat(chunks).toString())
  const answers: Record<string, () => object> = {
    '/api/v2/ping/': () => ({ name: 'here', description: 'a test' }),
    '/api/v2/tasks/list': () => ({ tasks }),
    '/api/v2/tasks/run': () => {
      ran.push(body.id)
      return tasks.find(each => (each as { id: string }).id === body.id)!
    },
  }
  const answer = answers[request.url ?? '']?.()
  response.writeHead(answer ? 200 : 404, { 'content-type': 'application/json' })
  response.end(JSON.stringify(answer ?? { detail: 'Not Found' }))
})

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'arriero-tasks-'))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
})
afterAll(async () => {
  server.close()
  await rm(home, { recursive: true })
})
beforeEach(() => {
  tasks = [running, task]
  ran = []
})

function run(...args: string[]) {
  const { port } = server.address() as AddressInfo
  const connections = { here: { user: 'admin', password: 'secret', host: 'http://127.0.0.1', port } }
  return arriero(['tasks', ...args], {
    env: { HOME: home, HL_CLIENT_CONFIG: undefined, LIBRARIAN_CLIENT_CONNECTIONS: JSON.stringify(connections) },
  })
}

test('lists what ran when, what came of it, and how far what runs is', async () => {
  const { code, stdout, stderr } = await run()
  expect(code, stderr).toBe(0)
  expect(stdout.split('\n').slice(0, 2)).toEqual([
    'repair\tmend\trunning\t2026-11-20 22:03:37\tpartial\t\tread 12',
    'scrub\tnightly\twaiting\t2026-11-20 22:03:37\tpartial\t2026-11-21 21:00:00\thalf of it',
  ])
  const lines = (await run('--json')).stdout.trim().split('\n')
  expect(lines.map(line => JSON.parse(line))).toEqual(tasks)
})

test('tells on stderr that there are none', async () => {
  tasks = []
  const { code, stdout, stderr } = await run()
  expect([code, stdout]).toEqual([0, ''])
  expect(stderr).toContain('no recurring tasks')
})

test('runs tasks by name or kind, each once; a name that is unknown is refused before anything runs', async () => {
  expect((await run('run', 'nightly', 'scrub', 'repair')).code).toBe(0)
  expect(ran).toEqual(['scrub:0', 'repair:0'])
  const unknown = await run('run', 'mend', 'nothing')
  expect(unknown.code).toBe(4)
  expect(unknown.stderr).toContain('no recurring task of this name')
  expect(ran).toHaveLength(2)
})
