/** Sessions of the dashboard, as its login page gets them. */
import { SESSION_HEADER, sessionPaths } from '@arriero/api'
import type { Served } from '../librarian/serve.ts'

export interface Login {
  /** `name=value`. */
  readonly cookie: string
  readonly csrf: string
}

const password = 'somebody-on-shift'
const READONLY = 1

/** Of people who may look at everything and change nothing. */
export async function logInPeople({ librarian, url }: Served, count: number): Promise<Login[]> {
  const logins: Login[] = []
  for (let n = 0; n < count; n++) {
    const username = `shift-${n}`
    // A case before this one may have added them.
    await librarian.users.create({ username, password, permission: READONLY }).catch(() => {})
    logins.push(await logIn(url, { username, password }))
  }
  return logins
}

export async function logIn(url: string, person: { username: string; password: string }): Promise<Login> {
  const response = await fetch(`${url}/api/v2/${sessionPaths.begin}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(person),
  })
  const cookie = response.headers.getSetCookie()[0]?.split(';')[0]
  if (!response.ok || cookie === undefined)
    throw new Error(`Cannot log in: ${response.status} ${await response.text()}`)
  const { csrf } = (await response.json()) as { csrf: string }
  return { cookie, csrf }
}

/** What a call of a page brings with it. */
export function headersOf({ cookie, csrf }: Login, origin: string): Record<string, string> {
  return { cookie, origin, [SESSION_HEADER]: csrf }
}
