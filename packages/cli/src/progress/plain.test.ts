import { Progress } from '@arriero/transfer'
import { expect, test } from 'vitest'
import { testTerminal } from '../../test/terminal.ts'
import { createContext } from '../context.ts'
import { createMeasure } from './measure.ts'
import { createPlainView, wholeLine } from './plain.ts'

test('plain progress tells the begin of a file at once when it is the only one, and a whole line every 10 s', () => {
  const { terminal, said } = testTerminal()
  const context = createContext(terminal, { json: false, quiet: false, verbosity: 0 }, new AbortController().signal)
  const view = createPlainView(context)
  const progress = new Progress()
  const measure = createMeasure(progress, { isSingle: true })
  const file = progress.start('http://h/a\u001b.nc', 1000)
  file.state = 'fetching'
  view.update(measure, 0)
  progress.landed(file, 500)
  for (let now = 100; now <= 10_100; now += 100) view.update(measure, now)
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
