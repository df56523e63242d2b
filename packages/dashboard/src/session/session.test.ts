import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createSession } from './session.ts'

const answer = { username: 'ada', level: 100, csrf: 'c0ffee', expires_time: '2026-11-21T10:00:00' }
const start = Date.UTC(2026, 10, 21, 9)

/** Answers one after the other; what was asked is kept. */
function scripted(...answers: readonly (readonly [status: number, body: unknown] | Error)[]) {
  const asked: { readonly path: string; readonly headers: Headers }[] = []
  const rest = [...answers]
  const fetch: typeof globalThis.fetch = async (input, init) => {
    asked.push({ path: String(input), headers: new Headers(init?.headers) })
    const next = rest.shift()!
    if (next instanceof Error) throw next
    return new Response(JSON.stringify(next[1]), { status: next[0] })
  }
  return { fetch, asked }
}

beforeEach(() => {
  vi.useFakeTimers({ now: start })
})
afterEach(() => {
  vi.useRealTimers()
})

test('a session that the cookie still has is found, and its header goes with what follows', async () => {
  const { fetch, asked } = scripted([200, answer], [200, {}])
  const session = createSession({ fetch })
  await session.look()
  expect(session.state.get()).toMatchObject({ kind: 'in', username: 'ada' })
  await session.end()
  expect(asked.map(({ path }) => path)).toEqual(['/api/v2/session/get', '/api/v2/session/end'])
  expect(asked[1]!.headers.get('x-arriero-csrf')).toBe('c0ffee')
  expect(session.state.get()).toEqual({ kind: 'out', hasEnded: false })
  expect(session.csrf()).toBeUndefined()
})

test('at its end the server is asked, and who was inside is told that it has ended', async () => {
  const { fetch } = scripted([200, answer], [401, {}])
  const session = createSession({ fetch })
  await session.begin('ada', 'secret')
  await vi.advanceTimersByTimeAsync(3_600_000)
  expect(session.state.get()).toEqual({ kind: 'out', hasEnded: true })
})

test('a server that is away does not end a session, and is named as the trouble before there is one', async () => {
  const { fetch } = scripted([200, answer], new Error('no network'))
  const session = createSession({ fetch })
  await session.look()
  await session.look()
  expect(session.state.get()).toMatchObject({ kind: 'in' })

  const other = createSession(scripted(new Error('no network')))
  await other.look()
  expect(other.state.get()).toMatchObject({ kind: 'out', problem: expect.stringContaining('no network') })
})

test('a wrong password is told in the words of the server', async () => {
  const session = createSession(scripted([403, { reason: 'The password is wrong.' }]))
  await expect(session.begin('ada', 'x')).rejects.toThrow('The password is wrong.')
})

test('several who notice at once ask once', async () => {
  const { fetch, asked } = scripted([401, {}])
  const session = createSession({ fetch })
  await Promise.all([session.look(), session.look(), session.look()])
  expect(asked).toHaveLength(1)
})
