/** Reads what strace wrote: the calls of all threads, with their begin and end in one order. */

export interface Call {
  readonly thread: number
  readonly name: string
  readonly args: string
  /** Paths among the arguments as the program wrote them; of calls on a descriptor, where it leads. */
  readonly paths: readonly string[]
  /** What strace says after `=`. */
  readonly result: string
  /** Lines at which it began and was done. */
  readonly begin: number
  readonly end: number
}

/** @throws Error for a line that does not look like strace's: a check must not pass because it saw nothing. */
export function parseCalls(log: string): Call[] {
  const calls: Call[] = []
  const open = new Map<string, { text: string; begin: number }>()
  for (const [line, text] of log.split('\n').entries()) {
    const match = /^(\d+) +(.*)$/.exec(text)
    if (!match) {
      if (text === '') continue
      throw new Error(`Cannot read line ${line + 1} of strace's log: ${text.slice(0, 200)}`)
    }
    const [, thread, what] = match as unknown as [string, string, string]
    if (what.startsWith('+++') || what.startsWith('---')) continue
    const resumed = /^<\.\.\. (\w+) resumed>(.*)$/.exec(what)
    if (resumed) {
      const started = open.get(thread)
      open.delete(thread)
      if (started) calls.push(toCall(thread, `${started.text}${resumed[2]}`, started.begin, line))
    } else if (what.endsWith('<unfinished ...>')) {
      open.set(thread, { text: what.slice(0, -'<unfinished ...>'.length).trimEnd(), begin: line })
    } else calls.push(toCall(thread, what, line, line))
  }
  // Killed or ended in the middle of a call.
  for (const [thread, { text, begin }] of open)
    calls.push(toCall(thread, `${text}) = ?`, begin, Number.POSITIVE_INFINITY))
  return calls.sort((a, b) => a.begin - b.begin)
}

export function isDone({ result }: Call): boolean {
  return /^\d/.test(result)
}

export function isCreating({ name, args }: Call): boolean {
  return name === 'openat' && args.includes('O_CREAT')
}

/** The text that a write wrote, as far as strace was told to show it. */
export function writtenText({ args }: Call): string {
  const quoted = /"((?:[^"\\]|\\.)*)"/.exec(args)?.[1] ?? ''
  const simple: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', f: '\f', v: '\v' }
  return quoted.replace(/\\([0-7]{1,3}|.)/g, (_, code: string) =>
    /^[0-7]/.test(code) ? String.fromCharCode(Number.parseInt(code, 8)) : (simple[code] ?? code),
  )
}

function toCall(thread: string, text: string, begin: number, end: number): Call {
  const open = text.indexOf('(')
  const close = text.lastIndexOf(') ')
  const name = text.slice(0, open)
  const args = text.slice(open + 1, close)
  const result = text
    .slice(close + 2)
    .trimStart()
    .replace(/^= /, '')
  return { thread: Number(thread), name, args, paths: pathsIn(name, args), result, begin, end }
}

/** Of data nothing but the descriptor is read: bytes may look like anything. */
function pathsIn(name: string, args: string): string[] {
  if (/write|fsync|datasync|syncfs|ftruncate|close/.test(name))
    return [/^\d+<(\/[^>]*)>/.exec(args)?.[1] ?? ''].filter(Boolean)
  return [...args.matchAll(/"([^"]+)"/g)].map(match => match[1] as string)
}
