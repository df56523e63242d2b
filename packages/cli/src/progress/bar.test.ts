import { Progress } from '@arriero/transfer'
import { expect, test } from 'vitest'
import { testTerminal } from '../../test/terminal.ts'
import { createContext } from '../context.ts'
import { createBarView, textsOf } from './bar.ts'
import { createMeasure } from './measure.ts'

function setUp(count: number) {
  const progress = new Progress()
  progress.listed = count
  progress.isListed = true
  const files = Array.from({ length: count }, (_, index) => progress.start(`http://h/file-${index}`, 1000))
  for (const file of files) file.state = 'fetching'
  return { progress, files, measure: createMeasure(progress) }
}

test('bars show no more files than fit, and the whole last', () => {
  const { measure } = setUp(30)
  const texts = textsOf(measure(0), 80, 5)
  expect(texts).toHaveLength(5)
  expect(texts[0]).toContain('file-0')
  expect(texts[4]).toContain('0/30 files')
})

test('a single file has one line', () => {
  const { progress } = setUp(1)
  expect(textsOf(createMeasure(progress, { isSingle: true })(0), 80, 12)).toHaveLength(1)
})

test('waiting files have no bar', () => {
  const { measure, files } = setUp(3)
  files[0]!.state = 'waiting'
  expect(textsOf(measure(0), 80, 12).join('\n')).not.toContain('file-0')
})

test('what is said while bars are drawn comes out whole, above them, and nothing is left of them at the end', () => {
  const { terminal, texts } = testTerminal({ isTTY: true })
  const context = createContext(terminal, { json: false, quiet: false, verbosity: 0 }, new AbortController().signal)
  const { measure } = setUp(2)
  const view = createBarView(context)
  view.update(measure, 0)
  context.say('failed not_found: x')
  view.update(measure, 100)
  view.stop(0)
  expect(texts.stderr).toContain('failed not_found: x\u001b[K\n')
  expect(texts.stderr.endsWith('\u001b[0J')).toBe(true)
  context.say('after')
  expect(texts.stderr.endsWith('after\n')).toBe(true)
})
