/**
 * Listings by MLSD, else LIST, else NLST (retrieval 14). Each directory is entered and listed without an argument: names
 * with blanks, wildcards or dashes would mean something else to many servers.
 *
 * What a symbolic link leads to counts if it is a file. A reply that says the listing was cut short is a failure.
 */

import { systemClock } from '../../clock.ts'
import { isRetriable, TransferError } from '../../errors.ts'
import { backoffDelayMs } from '../../limits/backoff.ts'
import { walk } from '../../listing/walk.ts'
import type { Listed, ListRequest } from '../../source.ts'
import { encodePath } from './address.ts'
import { askSize, askTime } from './facts.ts'
import { isUnknownCommand, refusal } from './failure.ts'
import type { Entry } from './list-lines.ts'
import { openData } from './passive.ts'
import type { FtpPool, ListCommand } from './pool.ts'
import { readText } from './read-text.ts'
import { textOf, wordsOf } from './reply.ts'
import type { Session } from './session.ts'

export interface Place {
  readonly pool: FtpPool
  /** Of the directory, as it was given; what is listed is opened by it. */
  readonly uri: string
  /** Redacted. */
  readonly shown: string
  /** Bytes, one per character. */
  readonly path: string
}

/** Directories read at once, while no transfer needs the connections. */
const AT_ONCE = 4
const ATTEMPTS = 6

export function listDirectory(place: Place, request: ListRequest): AsyncIterable<readonly Listed[]> {
  const lister = new Lister(place)
  return walk((directory, signal) => lister.read(directory, signal), request, { uri: place.shown, atOnce: AT_ONCE })
}

class Lister {
  readonly #place: Place
  readonly #base: string
  /** Directories whose names are no UTF-8, as bytes. */
  readonly #bytes = new Map<string, string>()
  /** What directories are, where the server tells. */
  readonly #uniques = new Map<string, string>()

  constructor(place: Place) {
    this.#place = place
    const uri = place.uri.replace(/#.*$/s, '')
    this.#base = uri.endsWith('/') ? uri : `${uri}/`
  }

  /** Asks again after failures that pass: a listing has no engine that would. */
  async read(directory: string, signal: AbortSignal): Promise<Listed[]> {
    const { pool, shown } = this.#place
    for (let attempt = 1; ; attempt++) {
      try {
        const options = { uri: shown, signal, isListing: true, isFresh: attempt > 1 }
        return await pool.use(options, session => this.#read(session, directory, signal))
      } catch (error) {
        if (signal.aborted || !isRetriable(error) || attempt === ATTEMPTS) throw error
        await systemClock.sleep(backoffDelayMs(attempt + 1), signal)
      }
    }
  }

  async #read(session: Session, directory: string, signal: AbortSignal): Promise<Listed[]> {
    const relative = this.#bytes.get(directory) ?? Buffer.from(directory, 'utf8').toString('latin1')
    const full = joined(this.#place.path, relative).replace(/(?<=.)\/+$/s, '')
    await session.enter(full === '' ? undefined : full, signal)
    const entries = await readEntries(session, this.#place, signal)
    for (const { kind, unique } of entries) {
      if (kind === 'self' && unique !== undefined) this.#uniques.set(directory, unique)
    }
    const found: Listed[] = []
    for (const entry of entries) {
      if (entry.kind === 'self' || entry.kind === 'other' || entry.name === '.' || entry.name === '..') continue
      if (/[/\0]/.test(entry.name)) throw notUnderstood(this.#place, `the name ${JSON.stringify(textOf(entry.name))}`)
      const known = await settle(session, full, entry, signal)
      if (!known) continue
      const listed = this.#listed(directory, relative, known)
      if (listed) found.push(listed)
    }
    return found
  }

  #listed(directory: string, relative: string, entry: Entry): Listed | undefined {
    const isDirectory = entry.kind === 'directory'
    const bytes = `${relative}${entry.name}${isDirectory ? '/' : ''}`
    const path = `${directory}${textOf(entry.name)}${isDirectory ? '/' : ''}`
    const uri = this.#base + encodePath(bytes)
    if (!isDirectory) return { uri, path, size: entry.size, lastModified: entry.lastModified }
    if (this.#isLoop(directory, entry.unique)) return undefined
    if (bytes !== Buffer.from(path, 'utf8').toString('latin1')) this.#bytes.set(path, bytes)
    if (entry.unique !== undefined) this.#uniques.set(path, entry.unique)
    return { uri, path }
  }

  /** A directory that is one of those it lies in: the server follows a link around in a circle. */
  #isLoop(directory: string, unique: string | undefined): boolean {
    if (unique === undefined) return false
    for (let above = directory; ; above = above.slice(0, above.lastIndexOf('/', above.length - 2) + 1)) {
      if (this.#uniques.get(above) === unique) return true
      if (above === '') return false
    }
  }
}

/** What is listed where the session is now, by the best command that this server knows. */
async function readEntries(session: Session, place: Place, signal: AbortSignal): Promise<Entry[]> {
  const { habits } = place.pool
  const { parseLongList, parseMlsd, parseNames, NotUnderstood } = await import('./list-lines.ts')
  const parse = (command: ListCommand, text: string) => {
    if (command === 'MLSD') return parseMlsd(text)
    return command === 'NLST' ? parseNames(text) : parseLongList(text, Date.now())
  }
  let command: ListCommand | undefined = habits.list ?? (hasMlsd(session) ? 'MLSD' : 'LIST -a')
  let why = ''
  while (command) {
    const text = await readList(session, command, place, signal)
    if (text !== undefined) {
      try {
        const entries = parse(command, text)
        // Some take the option for a name, of which there is nothing.
        if (entries.length > 0 || command !== 'LIST -a' || text.trim() !== '') {
          if (text !== '') habits.list = command
          return entries
        }
      } catch (error) {
        if (!(error instanceof NotUnderstood)) throw error
        why = error.message
      }
    }
    command = AFTER[command]
  }
  throw notUnderstood(place, why || 'none of MLSD, LIST and NLST')
}

const AFTER: Readonly<Record<ListCommand, ListCommand | undefined>> = {
  MLSD: 'LIST -a',
  'LIST -a': 'LIST',
  LIST: 'NLST',
  NLST: undefined,
}

function hasMlsd({ features }: Session): boolean {
  return [...features].some(feature => feature === 'MLSD' || feature.startsWith('MLST'))
}

/** The listing's text as bytes; undefined: the server does not do it this way. */
async function readList(
  session: Session,
  command: ListCommand,
  place: Place,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { pool, shown } = place
  const { control } = session
  const { connectMs, idleMs } = pool.timeouts
  if (command === 'MLSD') await wantFacts(session, signal)
  const socket = await openData(control, { habit: pool.habits, isSecure: pool.isDataSecure, connectMs, signal })
  try {
    const first = await session.ask(command, signal)
    if (first.code >= 200) {
      if (first.code < 300 || isEmptiness(first.code, wordsOf(first))) return ''
      if (isUnknownCommand(first) || (command === 'LIST -a' && first.code >= 500)) return undefined
      throw refusal(first, { uri: shown, asked: command })
    }
    const text = await readText(socket, { control, idleMs, signal })
    const last = await session.reply(signal)
    if (last.code >= 300) {
      if (text === '' && isEmptiness(last.code, wordsOf(last))) return ''
      throw refusal(last, { uri: shown, asked: command })
    }
    holdCompleteness(wordsOf(last), shown)
    return text
  } finally {
    socket.destroy()
  }
}

/** Some servers tell only in passing, under a code of success, that names are missing. */
function holdCompleteness(words: string, shown: string): void {
  const isCut = /truncat|limit/i.test(words)
  if (!isCut && !/fail|error|denied|unable|cannot/i.test(words)) return
  const what = isCut ? 'the server cuts its listings short' : 'it may not be read'
  throw new TransferError(isCut ? 'Unsupported' : 'Denied', `Cannot list ${shown}: ${what} (${words})`, { url: shown })
}

/** The directory was entered, so this speaks of its content. */
function isEmptiness(code: number, words: string): boolean {
  return (code === 550 || code === 450) && /no files|no such file|empty|no matching|not found/i.test(words)
}

/** The facts that matter, where a server does not give them by itself (RFC 3659, 7.9). */
async function wantFacts(session: Session, signal: AbortSignal): Promise<void> {
  const offered = [...session.features].find(feature => feature.startsWith('MLST '))
  if (!offered || session.hasFacts) return
  session.hasFacts = true
  const missing = ['TYPE', 'SIZE', 'MODIFY', 'UNIQUE'].filter(fact => offered.includes(`${fact};`))
  if (missing.length > 0) await session.ask('OPTS MLST type;size;modify;unique;', signal)
}

/** What only asking tells: whether a link leads to a file, and what a bare name is. */
async function settle(session: Session, full: string, entry: Entry, signal: AbortSignal): Promise<Entry | undefined> {
  if (entry.kind !== 'link' && entry.kind !== 'unknown') return entry
  const path = joined(full, entry.name)
  const size = await askSize(session, entry.name, signal)
  if (size !== undefined) {
    const lastModified = entry.kind === 'link' ? await askTime(session, entry.name, signal) : undefined
    return { ...entry, kind: 'file', size, lastModified }
  }
  const isDirectory = await session.tryEnter(path, signal)
  if (isDirectory) await session.enter(full === '' ? undefined : full, signal)
  // Links to directories may lead around in a circle; broken ones lead nowhere.
  if (entry.kind === 'link') return undefined
  return { ...entry, kind: isDirectory ? 'directory' : 'file' }
}

function joined(directory: string, name: string): string {
  return directory === '' || directory.endsWith('/') ? `${directory}${name}` : `${directory}/${name}`
}

function notUnderstood({ shown }: Place, what: string): TransferError {
  const message = `Cannot list ${shown}: the server's listing is not understood (${what})`
  return new TransferError('Protocol', message, { url: shown, retriable: false })
}
