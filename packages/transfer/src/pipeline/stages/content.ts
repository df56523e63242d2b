import { wrongValue } from '../failure.ts'

/** What a value is written as: bytes as they are, text as UTF-8, and of what was fetched its bytes. */
export function contentOf(value: unknown, stage: string): Uint8Array {
  if (value instanceof Uint8Array) return value
  if (typeof value === 'string') return Buffer.from(value)
  const { bytes } = (value ?? {}) as { bytes?: unknown }
  if (bytes instanceof Uint8Array) return bytes
  throw wrongValue(stage, value, 'bytes, a text, or an object with `bytes`')
}

/** A value as a line: text as it is, bytes as they are, anything else as JSON. */
export function lineOf(value: unknown, stage: string): Uint8Array {
  const line =
    value instanceof Uint8Array ? value : Buffer.from(typeof value === 'string' ? value : jsonOf(value, stage))
  return line.at(-1) === 10 ? line : Buffer.concat([line, NEWLINE])
}

const NEWLINE = Buffer.from('\n')

function jsonOf(value: unknown, stage: string): string {
  const text = JSON.stringify(value)
  if (text === undefined) throw wrongValue(stage, value, 'a text, bytes, or what can be written as JSON')
  return text
}
