/**
 * Who is known to have which key (the format of OpenSSH, sshd(8) "SSH_KNOWN_HOSTS FILE FORMAT").
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'

/** What the files say of one host. Keys are in their wire form (RFC 4253, 6.6). */
export interface KnownKeys {
  readonly keys: readonly Buffer[]
  /** Never accepted, whatever else is said. */
  readonly revoked: readonly Buffer[]
  /** A certificate authority vouches for it: of no use here, because host certificates are not read. */
  readonly hasAuthority: boolean
}

/** How a host is named in the files: with its port, unless that is 22. */
export function knownName(host: string, port: number): string {
  return port === 22 ? host.toLowerCase() : `[${host.toLowerCase()}]:${port}`
}

/**
 * Everything that the texts of known_hosts files say of a host. Lines that cannot be read say nothing.
 *
 * @param name see `knownName`
 */
export function lookUpKnownHost(texts: readonly string[], name: string): KnownKeys {
  const keys: Buffer[] = []
  const revoked: Buffer[] = []
  let hasAuthority = false
  for (const line of texts.flatMap(text => text.split(/\r?\n/))) {
    const entry = parseLine(line)
    if (!entry || !isMeant(entry.hosts, name)) continue
    if (entry.marker === '@revoked') revoked.push(entry.key)
    else if (entry.marker === '@cert-authority') hasAuthority = true
    else keys.push(entry.key)
  }
  return { keys, revoked, hasAuthority }
}

interface Entry {
  readonly marker: string | undefined
  readonly hosts: string
  readonly key: Buffer
}

function parseLine(line: string): Entry | undefined {
  const words = line.trim().split(/[ \t]+/)
  if (line.trim() === '' || line.trimStart().startsWith('#')) return undefined
  const marker = words[0]?.startsWith('@') ? words.shift() : undefined
  const [hosts, type, encoded] = words
  if (marker !== undefined && marker !== '@revoked' && marker !== '@cert-authority') return undefined
  if (!hosts || !type || !encoded) return undefined
  const key = Buffer.from(encoded, 'base64')
  return typeOfKey(key) === type ? { marker, hosts, key } : undefined
}

/** Whether a list of patterns means this name. A pattern with `!` that matches rules the whole line out. */
function isMeant(hosts: string, name: string): boolean {
  if (hosts.startsWith('|')) return isHashOf(hosts, name)
  return matchesPatternList(hosts.split(','), name)
}

/** Patterns with `*`, `?` and `!`, as in known_hosts and in `Host` lines of the configuration. */
export function matchesPatternList(patterns: readonly string[], name: string): boolean {
  let isFound = false
  for (const pattern of patterns) {
    const isNegated = pattern.startsWith('!')
    if (!matchesPattern(isNegated ? pattern.slice(1) : pattern, name)) continue
    if (isNegated) return false
    isFound = true
  }
  return isFound
}

/** Without a regular expression: a hostile pattern must not take exponential time. */
function matchesPattern(pattern: string, name: string): boolean {
  const [glob, text] = [pattern.toLowerCase(), name.toLowerCase()]
  let [at, star, mark] = [0, -1, 0]
  for (let index = 0; index < text.length; ) {
    if (glob[at] === '*') {
      star = at++
      mark = index
    } else if (glob[at] === '?' || glob[at] === text[index]) {
      at++
      index++
    } else if (star >= 0) {
      at = star + 1
      index = ++mark
    } else return false
  }
  while (glob[at] === '*') at++
  return at === glob.length
}

/** `|1|salt|hmac-sha1(salt, name)`: names that only who knows them can find. */
function isHashOf(hashed: string, name: string): boolean {
  const [, version, salt, digest] = hashed.split('|')
  if (version !== '1' || !salt || !digest) return false
  const expected = Buffer.from(digest, 'base64')
  const actual = createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest()
  return expected.length === actual.length && timingSafeEqual(expected, actual)
}

/** e.g. `ssh-ed25519`; undefined if this is no key. */
export function typeOfKey(key: Buffer): string | undefined {
  if (key.length < 4) return undefined
  const length = key.readUInt32BE(0)
  return length > 0 && length <= key.length - 4 && length < 100
    ? key.subarray(4, 4 + length).toString('latin1')
    : undefined
}

/** As `ssh-keygen -l` tells it. */
export function fingerprintOf(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`
}
