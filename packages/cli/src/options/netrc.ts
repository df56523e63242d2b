import { readFileSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Hooks, WorkerHook } from '../engine.ts'
import { ProgramError } from '../errors.ts'
import { systemReason } from '../system-error.ts'

export interface NetrcLogin {
  readonly machine: string | undefined
  readonly login: string
  readonly password: string
}

/**
 * A hook that answers with the login of ~/.netrc (or $NETRC), but only for the origins of the URLs that the person
 * named: a redirect never gets one. `urls` is read each time, since a list is still growing when the first is fetched.
 */
export function netrcCredentials(
  env: Readonly<Record<string, string | undefined>>,
  urls: Iterable<string>,
): Exclude<NonNullable<Hooks['credentials']>, WorkerHook> {
  const logins = readNetrc(env.NETRC ?? join(env.HOME ?? homedir(), '.netrc'))
  return ({ origin }) => {
    if (![...urls].some(url => URL.canParse(url) && originOf(url) === originOf(origin))) return undefined
    const host = new URL(origin).hostname
    const found = logins.find(({ machine }) => machine === undefined || machine === host)
    if (!found) return undefined
    const token = Buffer.from(`${found.login}:${found.password}`).toString('base64')
    return { authorization: `Basic ${token}` }
  }
}

const defaultPorts: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443, 'ftp:': 21, 'ftps:': 990 }

/** With the port always said, as the engine names origins. */
function originOf(url: string): string {
  const { protocol, hostname, port } = new URL(url)
  return `${protocol}//${hostname.toLowerCase()}:${port || defaultPorts[protocol]}`
}

function readNetrc(path: string): NetrcLogin[] {
  let text: string
  try {
    // Others who can read it have the passwords already; better to hear of it now.
    if (process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0) {
      throw new ProgramError('Usage', `${path} can be read by others.`, { remedy: `Say: chmod 600 ${path}` })
    }
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof ProgramError) throw error
    throw new ProgramError('Usage', `Cannot read ${path} for --netrc: ${systemReason(error)}`, { cause: error })
  }
  return parseNetrc(text)
}

/** `default` is the entry without a machine; macros are passed over. */
export function parseNetrc(text: string): NetrcLogin[] {
  const words = text
    .replace(/^\s*macdef\b.*?(?:\n\s*\n|$(?![\s\S]))/gms, '')
    .replace(/(^|\s)#.*$/gm, '$1')
    .match(/"(?:[^"\\]|\\.)*"|\S+/g)
  const logins: { machine: string | undefined; login: string; password: string }[] = []
  const next = (words ?? [])
    .map(word => (word.startsWith('"') ? word.slice(1, -1).replace(/\\(.)/g, '$1') : word))
    .values()
  for (const word of next) {
    const last = logins.at(-1)
    if (word === 'machine') logins.push({ machine: next.next().value, login: '', password: '' })
    else if (word === 'default') logins.push({ machine: undefined, login: '', password: '' })
    else if (word === 'login' && last) last.login = next.next().value ?? ''
    else if (word === 'password' && last) last.password = next.next().value ?? ''
    else if (word === 'account') next.next()
  }
  return logins
}
