/**
 * The server's log: a line of JSON per event. Everything passes one sink, which hides what looks like a secret and leaves
 * no character in that could move a cursor or hide a line (reliability F1, 6).
 */
import { redactText } from '@arriero/transfer'
import { pino } from 'pino'
import type { LogLevel } from '../config.ts'
import type { Log } from '../log.ts'
import { callFields } from './call-context.ts'

export interface LogOptions {
  readonly level: LogLevel
  /** Gets whole lines. */
  readonly write: (line: string) => void
  /** In every line. */
  readonly name: string
}

export function createLog({ level, write, name }: LogOptions): Log {
  return pino(
    {
      level,
      base: { name },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: label => ({ level: label }) },
      mixin: callFields,
      redact: { paths: secretPaths, censor: '***' },
    },
    { write: line => write(visible(redactText(line))) },
  )
}

/** By their names, where the text itself would not show what it is. */
const secretPaths = [
  'password',
  'new_password',
  'authenticator',
  'authorization',
  'encryptionKey',
  'token',
  'cookie',
].flatMap(name => [name, `*.${name}`, `*.*.${name}`])

/** JSON leaves in what is not below a blank; terminals and viewers obey some of it. */
function visible(line: string): string {
  return line.replace(
    /[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g,
    character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
