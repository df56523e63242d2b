import { connect, LibrarianError } from '@arriero/api'
import { describe, expect, test } from 'vitest'
import { tellLevels } from './tell-levels.ts'

const who = { name: 'Site', description: '', version: '5.0.1' }

/** A librarian that answers only these paths, and refuses all others as the wire does. */
function at(allowed: readonly string[], others: () => Response = refused) {
  const asked: string[] = []
  const fetch = (async (url: string | URL | Request) => {
    const path = String(url instanceof Request ? url.url : url).split('/api/v2/')[1] ?? ''
    asked.push(path)
    return allowed.includes(path) ? Response.json(who) : others()
  }) as typeof globalThis.fetch
  const api = connect({ url: 'https://a.example.org', user: 'ada', password: 'pw', fetch, retries: 0 })
  return { api: tellLevels(api, { user: 'ada', name: 'site' }), asked }
}

function refused(): Response {
  return Response.json({ detail: 'Incorrect username or password' }, { status: 401 })
}

const failure = (call: Promise<unknown>): Promise<LibrarianError> =>
  call.then(
    () => expect.unreachable(),
    error => error,
  )

describe('tellLevels()', () => {
  test('says that the level is too low where the same login is good for what every level may do', async () => {
    const { api } = at(['ping/', 'ping/logged'])
    const error = await failure(api.users.list({}))
    expect(error).toBeInstanceOf(LibrarianError)
    expect(error).toMatchObject({ code: 'Denied', remedy: expect.stringContaining('users set ada --level ADMIN') })
    expect(error.message).toBe('The level of ada at site is too low: this needs ADMIN (user and password are right)')
  })

  test('keeps to the words of the wire where the login itself is refused, and names the level that looks so', async () => {
    const error = await failure(at(['ping/']).api.users.list({}))
    expect(error).toMatchObject({ code: 'Denied', message: 'Incorrect username or password' })
    expect(error.remedy).toContain('NONE')
  })

  test('asks nothing more of what every level may do', async () => {
    const { api, asked } = at(['ping/'])
    await failure(api.search.file({ name: 'a' }))
    expect(asked).toEqual(['ping/', 'search/file'])
  })

  test('leaves other failures and answers as they are', async () => {
    const { api, asked } = at(['ping/', 'ping/logged'], () => Response.json({ reason: 'No.' }, { status: 404 }))
    expect((await failure(api.users.list({}))).code).toBe('NotFound')
    expect(asked).not.toContain('ping/logged')
    expect(await api.ping.logged()).toMatchObject({ name: 'Site' })
  })
})
