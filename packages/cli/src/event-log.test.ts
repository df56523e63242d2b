import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { testTerminal } from '../test/terminal.ts'
import { createContext } from './context.ts'
import type { TransferEvent } from './engine.ts'
import { type LogFormat, openEventLog } from './event-log.ts'

const event: TransferEvent = {
  ts: '2026-11-20T12:04:31.250Z',
  run: 'r1',
  level: 'WARN',
  stage: 'fetch',
  event: 'retry',
  file: 'http://h/a',
  part: { start: 0, end: 8 },
  fields: { delayMs: 300, reason: 'reset' },
}

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'arriero-log-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function context() {
  const { terminal, said } = testTerminal()
  return { context: createContext(terminal, { json: false, quiet: false, verbosity: 0 }, AbortSignal.any([])), said }
}

const lines = (path: string) => readFileSync(path, 'utf8').trimEnd().split('\n')

describe('openEventLog()', () => {
  test.each<[LogFormat, object]>([
    ['arriero', { ...event }],
    [
      'retriever',
      {
        level: 'WARN',
        log: 'Trying again in 0.30 s: http://h/a: reset',
        actor: 'fetch',
        timestamp: event.ts,
        log_id: 'retry',
        tags: { run: 'r1', file: 'http://h/a', part: { start: 0, end: 8 }, delayMs: 300, reason: 'reset' },
      },
    ],
  ])('writes the fields of %s and no others, and each line at once', (format, expected) => {
    const path = join(folder, 'x.log')
    const write = openEventLog(path, format, context().context)
    write(event)
    expect(lines(path).map(line => JSON.parse(line))).toEqual([expected])
    write(event)
    expect(lines(path)).toHaveLength(2)
  })

  test('a second run continues the file', () => {
    const path = join(folder, 'x.log')
    for (const _ of [1, 2]) openEventLog(path, 'arriero', context().context)(event)
    expect(lines(path)).toHaveLength(2)
  })

  test('a file that cannot be opened is told before anything is done', () => {
    expect(() => openEventLog(join(folder, 'none', 'x.log'), 'arriero', context().context)).toThrow(
      /Cannot write the log .*: its directory is not there/,
    )
  })

  test('a full disk ends the log with one warning', () => {
    const { context: full, said } = context()
    const write = openEventLog('/dev/full', 'arriero', full)
    write(event)
    write(event)
    expect(said()).toEqual(['arriero: the log /dev/full ends here: the disk is full'])
  })
})
