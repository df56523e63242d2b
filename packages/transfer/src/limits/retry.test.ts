import { expect, test } from 'vitest'
import { ManualClock, settle } from '../../test/manual-clock.ts'
import { TransferError } from '../errors.ts'
import { RetryBudget } from './backoff.ts'
import { withRetry } from './retry.ts'

const network = () => new TransferError('Network', 'Connection was reset')

function setUp(budget = new RetryBudget({ random: () => 1 })) {
  const clock = new ManualClock()
  const abort = new AbortController()
  return { clock, abort, budget, options: { signal: abort.signal, clock } }
}

test('withRetry() returns what the first good attempt returns, after the delays of the budget', async () => {
  const { clock, budget, options } = setUp()
  const delays: number[] = []
  const seen: number[] = []
  const result = withRetry(
    async failures => {
      seen.push(failures)
      if (failures < 2) throw network()
      return 'good'
    },
    budget,
    { ...options, onRetry: (_, delayMs) => delays.push(delayMs) },
  )
  await clock.advance(1500)
  expect(await result).toBe('good')
  expect([seen, delays]).toEqual([
    [0, 1, 2],
    [500, 1000],
  ])
})

test('withRetry() throws a final error at once', async () => {
  const { budget, options } = setUp()
  const error = new TransferError('NotFound', 'Not there')
  await expect(withRetry(() => Promise.reject(error), budget, options)).rejects.toBe(error)
  expect(budget.failures).toBe(0)
})

test('withRetry() throws the latest error when the budget is spent', async () => {
  const { options } = setUp()
  let attempts = 0
  const fail = () => Promise.reject(new TransferError('Network', `attempt ${++attempts}`))
  await expect(withRetry(fail, new RetryBudget({ perPart: 0 }), options)).rejects.toThrow('attempt 1')
})

test('withRetry() stops waiting when aborted, with the signal’s reason', async () => {
  const { clock, abort, budget, options } = setUp()
  const result = withRetry(() => Promise.reject(network()), budget, options)
  await settle()
  expect(clock.sleeping).toBe(1)
  abort.abort(new Error('enough'))
  await expect(result).rejects.toThrow('enough')
  expect(clock.sleeping).toBe(0)
})

test('withRetry() does not count an abort as a failure and throws its reason', async () => {
  const { abort, budget, options } = setUp()
  const attempt = async () => {
    abort.abort(new Error('enough'))
    throw network()
  }
  await expect(withRetry(attempt, budget, options)).rejects.toThrow('enough')
  expect(budget.failures).toBe(0)
})
