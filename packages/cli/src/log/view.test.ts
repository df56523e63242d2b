import { describe, expect, test } from 'vitest'
import { styleFor } from '../terminal.ts'
import { type LogLine, parseLogLine } from './parse-line.ts'
import { formatLine, isShown, type LogFilter } from './view.ts'

const output = { write: () => {}, isTTY: true, columns: 80, rows: 24 }
const [plain, coloured] = [styleFor({ ...output, isTTY: false }, {}), styleFor(output, {})]

const ours = parse({
  ...{ ts: '2026-11-20T12:04:31.250Z', level: 'INFO_VERBOSE', stage: 'verify', event: 'verified', run: 'r' },
  ...{ file: 'http://h/a.nc', part: { start: 0, end: 8 }, fields: { proof: 'checksum', size: 8 } },
})
const theirs = parse({
  ...{ level: 'ERROR', log: 'lost \u001b[2J', actor: 'Downloader', timestamp: '2026-11-20T12:04:31.250123' },
  log_id: 'DOWNLOADER_RECEIVED',
})

function parse(value: object): LogLine {
  return parseLogLine(JSON.stringify(value))!
}

function noisy(log_id: string): LogLine {
  return parse({ level: 'INFO', log: 'x', actor: 'Chunker', timestamp: '2026-11-20T12:04:31', log_id })
}

describe('parseLogLine()', () => {
  test.each(['', 'x', '[]', '{}', '{"level":"INFO"}', '{"level":"LOUD","ts":"t","stage":"s","event":"e"}'])(
    '%j is no line of a log',
    text => {
      expect(parseLogLine(text)).toBeUndefined()
    },
  )
})

describe('formatLine()', () => {
  test('is LEVEL - time - actor - text, of both formats, and safe to show', () => {
    expect(formatLine(ours, plain)).toBe(
      'INFOV - 12:04:31.250 - verify - verified http://h/a.nc [0, 8) proof=checksum size=8',
    )
    expect(formatLine(theirs, plain)).toBe('ERROR - 12:04:31.250123 - Downloader - lost \\x1b[2J')
  })

  test('errors are red, warnings yellow, information blue, the rest as it is', () => {
    const codeOf = (level: LogLine['level']) => formatLine({ ...ours, level }, coloured).slice(0, 5)
    expect(codeOf('ERROR')).toBe('\u001b[31m')
    expect(codeOf('WARN')).toBe('\u001b[33m')
    expect(codeOf('INFO')).toBe('\u001b[34m')
    expect(codeOf('DEBUG')).toBe('DEBUG')
  })
})

describe('isShown()', () => {
  test.each<[LogFilter, boolean]>([
    [{}, true],
    [{ level: 'INFO_VERBOSE' }, true],
    [{ level: 'INFO' }, false],
    [{ stage: 'verify' }, true],
    [{ stage: 'fetch' }, false],
    [{ event: 'verified' }, true],
    [{ event: 'retry' }, false],
    [{ file: 'a.nc' }, true],
    [{ file: 'b.nc' }, false],
    [{ event: 'verified', file: 'b.nc' }, false],
  ])('%j', (filter, expected) => {
    expect(isShown(ours, filter)).toBe(expected)
  })

  test.each(['CHUNKER_RECEIVED', 'chunker_message_sent', 'Actor Watcher Update', 'part'])(
    'drops the noisy kind %s of retriever, unless all are wanted or it is asked for',
    id => {
      expect(isShown(noisy(id), {})).toBe(false)
      expect(isShown(noisy(id), { isAll: true })).toBe(true)
      expect(isShown(noisy(id), { event: id })).toBe(true)
    },
  )

  test('keeps what other stages receive', () => {
    expect(isShown(theirs, {})).toBe(true)
  })
})
