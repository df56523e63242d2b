/**
 * The order of a clean run (reliability 4 O): reads every durable call of a librarian that takes uploads in, and says where a
 * name was given, or an answer sent, before what it stands on was on stable storage. A fault sweep cannot see that: what was
 * written is there after a kill, synced or not.
 *
 *     content synced < catalogue knows what was verified < name given < its directory synced
 *       < trail and sums written and synced < catalogue has the row < answer
 */
import { type Call, isDone, writtenText } from '../calls.ts'
import { checkOrder } from '../order.ts'

export interface CommitOrderOptions {
  /** Of the place: what a librarian keeps. */
  readonly data: string
  /** Names that were committed, by one request whose answer is the last. */
  readonly names: readonly string[]
  readonly engine: 'sqlite' | 'postgres'
  /** Where descriptors led when the trace began. */
  readonly descriptors: ReadonlyMap<number, string>
}

interface Span {
  readonly begin: number
  readonly end: number
}

export function checkCommitOrder(traced: readonly Call[], options: CommitOrderOptions): string[] {
  const { data, names } = options
  // Tracing ends when the answer has come, which may be before strace has seen its call end.
  const seen = traced.map(call => (isAnswer(call) ? { ...call, result: '1' } : call))
  const calls = withPaths(seen, options.descriptors)
  const answer = calls.findLast(isAnswer)
  if (!answer) return ['no answer was seen: the trace is not to be trusted']
  const root = `${data}/files`
  const paths = names.map(name => `${root}/${name}`)
  const files = paths.filter(path => calls.some(call => call.name.startsWith('link') && call.paths[1] === path))
  const problems = checkOrder(calls, {
    home: data,
    names: files,
    acknowledged: call => (call === answer ? files : []),
  })
  const commits = catalogueCommits(calls, options.engine)
  for (const [index, path] of paths.entries()) {
    problems.push(...chainOf({ name: names[index]!, path, root, calls, commits, answer }))
  }
  return [...new Set(problems)]
}

interface Chain {
  readonly name: string
  readonly path: string
  readonly root: string
  readonly calls: readonly Call[]
  readonly commits: readonly Span[]
  readonly answer: Call
}

function chainOf({ name, path, root, calls, commits, answer }: Chain): string[] {
  const named = calls.find(call => /^(link|rename)/.test(call.name) && call.paths[1] === path)
  if (!named) return [`${name} was never given its name`]
  const prepared = lastSyncOf(named.paths[0]!, calls, named.begin)
  if (!prepared) return [`the content of ${name} was never synced before it had its name`]
  const problems = named.name.startsWith('rename') ? looseIn(named, calls, answer) : []
  if (!commits.some(({ begin, end }) => begin > prepared.end && end < named.begin))
    problems.push(`${name} has its name before the catalogue knows what was verified`)
  let last = named.end
  for (const [what, pattern] of [
    ['the trail', /\/\.arriero\/trail\/[^/]+$/],
    ['SHA256SUMS', /\/\.arriero\/SHA256SUMS$/],
  ] as const) {
    const written = calls.find(call => isWrite(call) && pattern.test(call.paths[0] ?? '') && hasName(call, name))
    if (!written) {
      problems.push(`${what} does not name ${name}`)
      continue
    }
    if (written.begin < named.end) problems.push(`${what} names ${name} before it has its name`)
    const synced = calls.find(call => isSyncOf(call, written.paths[0]!) && call.begin > written.end)
    if (!synced || synced.end > answer.begin) problems.push(`${what} was not synced when ${name} was acknowledged`)
    else last = Math.max(last, synced.end)
  }
  const synced = calls.find(call => isSyncOf(call, parentOf(path)) && call.begin > named.end)
  if (!synced || synced.end > answer.begin)
    problems.push(`the directory of ${name} was not synced when it was acknowledged`)
  if (!commits.some(({ begin, end }) => begin > last && end < answer.begin))
    problems.push(`${name} was acknowledged before the catalogue had its row`)
  return problems.map(problem => problem.replaceAll(`${root}/`, ''))
}

/** A tree gets its name when everything in it is on stable storage, and the directories above it before the answer. */
function looseIn(named: Call, calls: readonly Call[], answer: Call): string[] {
  const [copy, path] = named.paths as [string, string]
  const problems: string[] = []
  const isSynced = (what: string, after: number, before: number) =>
    calls.some(
      call => call.begin > after && call.end < before && (isSyncOf(call, what) || /^(sync|syncfs)$/.test(call.name)),
    )
  for (const { name, paths, args, end } of calls) {
    const [first = ''] = paths
    const isMade = name.startsWith('mkdir') || (name === 'openat' && args.includes('O_CREAT'))
    if (first.startsWith(`${copy}/`)) {
      if (isMade && !isSynced(parentOf(first), end, named.begin)) problems.push(`the entry of ${first} was not synced`)
      if (/^p?write/.test(name) && !isSynced(first, end, named.begin)) problems.push(`${first} was not synced`)
    }
    const isAbove = name.startsWith('mkdir') && path.startsWith(`${first}/`)
    if (isAbove && !isSynced(parentOf(first), end, answer.begin)) problems.push(`${parentOf(first)} was not synced`)
  }
  return problems
}

/** Of a file, its own; of a tree, the last of all that is in it. */
function lastSyncOf(path: string, calls: readonly Call[], before: number): Call | undefined {
  const isInside = (call: Call) => call.paths[0] === path || call.paths[0]?.startsWith(`${path}/`)
  return calls.findLast(
    call => call.end < before && (/^(sync|syncfs)$/.test(call.name) || (isSync(call) && isInside(call))),
  )
}

/** When something became durable in the catalogue, as far as it can be seen from outside. */
function catalogueCommits(calls: readonly Call[], engine: 'sqlite' | 'postgres'): Span[] {
  if (engine === 'sqlite') return calls.filter(call => isSyncOf(call, /\/catalogue\.db-wal$/))
  const spans: Span[] = []
  let asked: Call | undefined
  for (const call of calls) {
    if (!/^\d+<socket:/.test(call.args)) continue
    const text = writtenText(call)
    if (isWrite(call) && /^Q[\s\S]{4}commit/i.test(text)) asked = call
    else if (/^(read|recvfrom|recvmsg)$/.test(call.name) && asked && /COMMIT\0/.test(text)) {
      spans.push({ begin: asked.begin, end: call.end })
      asked = undefined
    }
  }
  return spans
}

/** Says of each call which paths it is about, seen through descriptors; a copy between two is a write to the second. */
function withPaths(calls: readonly Call[], descriptors: ReadonlyMap<number, string>): Call[] {
  const open = new Map(descriptors)
  const opened = calls
    .flatMap(call => {
      const made = call.name === 'openat' ? /^(\d+)<([^>]*)>/.exec(call.result) : null
      return made ? [{ at: call.end, fd: Number(made[1]), path: made[2]! }] : []
    })
    .sort((a, b) => a.at - b.at)
  return calls.filter(isDone).map(call => {
    while (opened[0] && opened[0].at < call.begin) {
      const { fd, path } = opened.shift()!
      open.set(fd, path)
    }
    const through = (path: string) =>
      path.replace(/^\/proc\/self\/fd\/(\d+)/, (_, fd: string) => open.get(Number(fd)) ?? `/unknown/${fd}`)
    if (call.name === 'openat') {
      const path = /^\d+<([^>]*)>/.exec(call.result)?.[1]
      return path === undefined ? call : { ...call, paths: [path.replace(/ \(deleted\)$/, '')] }
    }
    if (/^(copy_file_range|sendfile)$/.test(call.name)) {
      const [first, second] = [...call.args.matchAll(/\d+<([^>]*)>/g)].map(match => match[1]!)
      const to = call.name === 'sendfile' ? first : second
      return { ...call, name: 'write', paths: to === undefined ? [] : [to] }
    }
    return { ...call, paths: call.paths.map(path => through(path).replace(/\/\.$/, '')) }
  })
}

function isAnswer(call: Call): boolean {
  return isWrite(call) && /^\d+<socket:/.test(call.args) && /^HTTP\/1\.1 2/.test(writtenText(call))
}

function hasName(call: Call, name: string): boolean {
  return call.args.includes(name)
}

function isWrite({ name }: Call): boolean {
  return /^p?write/.test(name)
}

function isSync({ name }: Call): boolean {
  return name === 'fsync' || name === 'fdatasync'
}

function isSyncOf(call: Call, path: string | RegExp): boolean {
  if (!isSync(call)) return false
  const [first = ''] = call.paths
  return typeof path === 'string' ? first === path : path.test(first)
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'))
}
