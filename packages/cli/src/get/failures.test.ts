import { expect, test } from 'vitest'
import { testTerminal } from '../../test/terminal.ts'
import { createContext } from '../context.ts'
import type { Outcome } from '../engine.ts'
import { createFailures } from './failures.ts'

function setting({ hasReport = true, verbosity = 0 } = {}) {
  const { terminal, said } = testTerminal()
  const context = createContext(terminal, { json: false, quiet: true, verbosity }, new AbortController().signal)
  return { failures: createFailures(context, hasReport ? 'report.jsonl' : undefined), said }
}

function refused(index: number): Outcome {
  const name = `a${index}.bin`
  const error = `Cannot fetch https://h/${index}/${name}: h refused the connection after ${index} s`
  const uri = `https://h/${index}/${name}`
  return {
    index,
    ok: false,
    status: 'failed',
    verified: false,
    requested_name: name,
    uri,
    error_class: 'network',
    error,
  }
}

function invalid(index: number): Outcome {
  const error = `Cannot use row ${index + 1}: no id`
  return { index, ok: false, status: 'invalid', verified: false, error_class: `reason_${index % 7}`, error }
}

test('createFailures() tells the first of those that are alike, and counts the others', () => {
  const { failures, said } = setting()
  for (let index = 0; index < 40; index++) failures.tell(refused(index))
  failures.tell({ ...refused(40), error: 'Cannot write a40.bin: the disk is full', error_class: 'no_space' })
  failures.end()
  expect(said()).toEqual([
    'failed network: Cannot fetch https://h/0/a0.bin: h refused the connection after 0 s.',
    'failed network: Cannot fetch https://h/1/a1.bin: h refused the connection after 1 s.',
    'failed network: Cannot fetch https://h/2/a2.bin: h refused the connection after 2 s.',
    'failed no_space: Cannot write a40.bin: the disk is full.',
    'failed network: 37 more like a0.bin; see report.jsonl',
  ])
})

test('createFailures() tells ten of the rows that cannot be used', () => {
  const { failures, said } = setting()
  for (let index = 0; index < 100_000; index++) failures.tell(invalid(index))
  failures.end()
  expect(said()).toHaveLength(11)
  expect(said().at(-1)).toBe('failed invalid: 99,990 more; see report.jsonl')
})

test.each([
  ['nobody has them in a report', { hasReport: false }],
  ['-v asks for all', { verbosity: 1 }],
])('createFailures() tells each where %s', (_, options) => {
  const { failures, said } = setting(options)
  for (let index = 0; index < 40; index++) failures.tell(refused(index))
  failures.end()
  expect(said()).toHaveLength(40)
})

test('createFailures() does not keep a thousand sentences apart', () => {
  const { failures, said } = setting()
  const words = [...'abcdefghij']
  const sentences = words.flatMap(x => words.flatMap(y => words.map(z => `it says ${x}${y}${z}`)))
  for (const [index, error] of sentences.entries()) failures.tell({ ...refused(index), error })
  failures.end()
  expect(said().length).toBeLessThan(60)
  expect(said().at(-1)).toMatch(/^failed network: 9\d\d more like a5\d\.bin; see /)
})
