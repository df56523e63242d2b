import { Progress } from '@arriero/transfer'
import { expect, test } from 'vitest'
import { testTerminal } from '../../test/terminal.ts'
import { createContext } from '../context.ts'
import { createMeasure } from './measure.ts'
import { createPlainView, wholeLine } from './plain.ts'

test('plain progress tells the begin of a file at once when it is the only one, and a whole line every 10 s', () => {
  const { terminal, said } = testTerminal()
  const context = createContext(terminal, { json: false, quiet: false, verbosity: 0 }, new AbortController().signal)
  const view = createPlainView(context, { isSingle: true })
  const progress = new Progress()
  const measure = createMeasure(progress, { isSingle: true })
  const file = progress.start('http://h/a\u001b.nc', 1000)
  file.state = 'fetching'
  view.update(measure, 0)
  progress.landed(file, 500)
  for (let now = 100; now <= 10_100; now += 100) view.update(measure, now)
  view.stop(10_200)
  expect(said()).toEqual(['begin a\\x1b.nc, 0.98 KiB', expect.stringMatching(/^500 B of 0.98 KiB \(50%\), /)])
})

test('plain progress leaves out files that are over within a second', () => {
  const { terminal, said } = testTerminal()
  const context = createContext(terminal, { json: false, quiet: false, verbosity: 0 }, new AbortController().signal)
  const view = createPlainView(context)
  const progress = new Progress()
  progress.listed = 2
  const measure = createMeasure(progress)
  const [quick, slow] = [progress.start('http://h/quick', 10), progress.start('http://h/slow', 10)]
  quick.state = slow.state = 'fetching'
  view.update(measure, 0)
  progress.finish(quick, 'done')
  view.update(measure, 1000)
  progress.finish(slow, 'done')
  view.update(measure, 2500)
  expect(said()).toEqual(['begin slow, 10 B', 'end   slow, 2.5 s'])
})

test('plain progress tells the end of each file whose begin it told, also of those that end last', () => {
  const { terminal, said } = testTerminal()
  const context = createContext(terminal, { json: false, quiet: false, verbosity: 0 }, new AbortController().signal)
  const view = createPlainView(context)
  const progress = new Progress()
  progress.listed = 3
  const measure = createMeasure(progress)
  const files = ['a', 'b', 'c'].map(name => progress.start(`http://h/${name}`, 10))
  for (const file of files) file.state = 'fetching'
  view.update(measure, 0)
  files[2]!.name = '/data/the name of c'
  view.update(measure, 1500)
  progress.finish(files[0]!, 'failed')
  view.update(measure, 2000)
  // The others end between the last look and the end.
  view.stop(2040)
  expect(said()).toEqual([
    'begin a, 10 B',
    'begin b, 10 B',
    'begin the name of c, 10 B',
    'end   a, 2.0 s',
    'end   b, 2.0 s',
    'end   the name of c, 2.0 s',
  ])
})

test('plain progress tells once that a file has begun, also when it waits between being read and being sent', () => {
  const { terminal, said } = testTerminal()
  const context = createContext(terminal, { json: false, quiet: false, verbosity: 0 }, new AbortController().signal)
  const view = createPlainView(context)
  const progress = new Progress()
  progress.listed = 2
  const measure = createMeasure(progress)
  const file = progress.start('http://h/a', 10)
  for (const [at, state] of (['verifying', 'waiting', 'fetching'] as const).entries()) {
    file.state = state
    view.update(measure, at * 2000)
    view.update(measure, at * 2000 + 1000)
  }
  progress.finish(file, 'done')
  view.stop(6000)
  expect(said()).toEqual(['begin a, 10 B', 'end   a, 6.0 s'])
})

test('plain progress of a list of one file has both lines', () => {
  const { terminal, said } = testTerminal()
  const context = createContext(terminal, { json: false, quiet: false, verbosity: 0 }, new AbortController().signal)
  const view = createPlainView(context)
  const progress = new Progress()
  progress.listed = 1
  progress.isListed = true
  const measure = createMeasure(progress)
  progress.start('http://h/a', 10).state = 'fetching'
  view.update(measure, 0)
  view.stop(100)
  expect(said()).toEqual(['begin a, 10 B', 'end   a, 0.10 s'])
})

test('wholeLine() counts files and failures of a list that still grows', () => {
  const files = { finished: 4, failed: 1, listed: 10, isListed: false }
  const line = wholeLine({
    landed: 2 ** 30,
    size: undefined,
    fraction: undefined,
    rate: 2 ** 20,
    etaMs: undefined,
    files,
    connections: 1,
  })
  expect(line).toBe('1.00 GiB, 4/10+ files, 1 failed, 1.00 MiB/s')
})

test('wholeLine() says that nothing is there yet', () => {
  const files = { finished: 0, failed: 0, listed: 1, isListed: true }
  const nothing = { landed: 0, size: 2 ** 20, fraction: 0, rate: 0, etaMs: undefined, files, connections: 1 }
  expect(wholeLine(nothing)).toBe('nothing of 1.00 MiB yet')
  expect(wholeLine({ ...nothing, size: undefined })).toBe('nothing yet')
})
