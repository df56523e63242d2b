import { describe, expect, test } from 'vitest'
import { testTerminal } from '../test/terminal.ts'
import { createContext } from './context.ts'
import type { TransferEvent } from './engine.ts'
import { eventPrinter } from './events.ts'

const retry: TransferEvent = {
  ts: '2026-11-20T12:04:31.250Z',
  run: 'r',
  level: 'WARN',
  stage: 'fetch',
  event: 'retry',
  file: 'http://h/a',
  fields: { delayMs: 300, reason: 'Cannot fetch http://h/a: \u001b[31mreset' },
}
const part: TransferEvent = { ...retry, level: 'DEBUG', event: 'part', part: { start: 0, end: 8 }, fields: {} }

function print(events: TransferEvent[], flags: { quiet?: boolean; verbosity?: number }): string[] {
  const { terminal, said } = testTerminal()
  const all = { json: false, quiet: false, verbosity: 0, ...flags }
  const printer = eventPrinter(createContext(terminal, all, new AbortController().signal))
  for (const event of events) printer?.(event)
  return said()
}

describe('eventPrinter()', () => {
  test('tells warnings as sentences, and a storm of retries once', () => {
    expect(print([retry, retry, part], {})).toEqual([
      'arriero: Trying again in 0.30 s: Cannot fetch http://h/a: \\x1b[31mreset',
    ])
  })

  test('prints lines with time and place under -v and -vv', () => {
    expect(print([retry, part], { verbosity: 1 })).toHaveLength(1)
    expect(print([retry, part], { verbosity: 2 })[1]).toBe('12:04:31.250 DEBUG fetch part http://h/a [0, 8)')
  })

  test('prints nothing under --quiet', () => {
    expect(print([retry], { quiet: true })).toEqual([])
  })
})
