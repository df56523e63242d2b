/** What rsync's exit codes mean, and ssh's, which it passes on. */
import { type ErrorCode, TransferError } from '../../errors.ts'
import { printable, redactText } from '../../redact.ts'

const codes: Readonly<Record<number, readonly [code: ErrorCode, what: string]>> = {
  1: ['Unsupported', 'it did not understand how it was called; both sides need rsync 3.2.3 or newer'],
  2: ['Unsupported', 'its versions at both sides do not understand each other'],
  3: ['Disk', 'it could not read a source or write a target'],
  4: ['Unsupported', 'the other side cannot do what was asked'],
  5: ['Network', 'the other side did not begin'],
  10: ['Network', 'the connection broke'],
  11: ['Disk', 'a file could not be read or written'],
  12: ['Network', 'the connection broke, or the other side ended'],
  20: ['Network', 'it was told to end'],
  22: ['Disk', 'it has too little memory'],
  23: ['Disk', 'some files could not be copied'],
  24: ['NotFound', 'files vanished while they were copied'],
  30: ['Timeout', 'no bytes came for too long'],
  35: ['Timeout', 'no connection was made in time'],
  127: ['Unsupported', 'rsync is not installed'],
  255: ['Network', 'ssh could not connect'],
}

/** What is said decides where one code stands for several things. */
const saying: readonly (readonly [pattern: RegExp, code: ErrorCode, what: string])[] = [
  [
    /host key verification failed|host identification has changed/i,
    'Tls',
    'the key of the host is not the one that is known',
  ],
  [/permission denied \([a-z,-]*(?:publickey|password|keyboard|hostbased)/i, 'Denied', 'ssh was not let in'],
  [/no space left on device|disk quota exceeded/i, 'NoSpace', 'the disk of the receiver is full'],
  [/command not found/i, 'Unsupported', 'rsync is not installed at the other side'],
]

const MOST_SAID = 400

export interface RsyncEnd {
  /** Undefined: it was ended by a signal. */
  readonly code: number | undefined
  /** Its complaints. */
  readonly said: string
}

export function rsyncFailure({ code, said }: RsyncEnd): TransferError {
  const told = saying.find(([pattern]) => pattern.test(said))
  const [kind, what] = (told?.slice(1) as [ErrorCode, string] | undefined) ??
    (code === undefined ? (['Network', 'it was ended'] as const) : codes[code]) ?? ['Disk', 'it failed']
  const lines = said.split('\n').map(line => line.trim())
  const shown = printable(redactText(lines.filter(line => line !== '').join('; '))).slice(0, MOST_SAID)
  const number = code === undefined ? '' : ` (${code})`
  return new TransferError(kind, `Cannot copy by rsync: ${what}${number}${shown ? `: ${shown}` : ''}`)
}
