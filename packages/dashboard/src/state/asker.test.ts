import { LibrarianError } from '@arriero/api'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createAsker } from './asker.ts'

/** Calls that end when the test says so. */
function scripted() {
  const calls: { readonly signal: AbortSignal; end(data: string): void; fail(error: Error): void }[] = []
  const load = (signal: AbortSignal) =>
    new Promise<string>((end, fail) => {
      calls.push({ signal, end, fail })
    })
  return { calls, load }
}

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const settle = () => vi.advanceTimersByTimeAsync(0)

test('another question cancels the call for the one before, whose answer counts for nothing', async () => {
  const { calls, load } = scripted()
  const asker = createAsker<string>()
  asker.ask(load)
  await settle()
  asker.ask(load)
  await settle()
  expect(calls[0]!.signal.aborted).toBe(true)
  calls[1]!.end('second')
  calls[0]!.end('first')
  await settle()
  expect(asker.state.get()).toEqual({ data: 'second', error: undefined, isLoading: false })
})

test('a question that changes while it rests is asked once, as it was at last', async () => {
  const { calls, load } = scripted()
  const asker = createAsker<string>()
  for (let key = 0; key < 5; key++) {
    asker.ask(load, 120)
    await vi.advanceTimersByTimeAsync(60)
  }
  expect(calls).toHaveLength(0)
  await vi.advanceTimersByTimeAsync(60)
  expect(calls).toHaveLength(1)
})

test('news that come faster than answers neither cancel them nor pile up', async () => {
  const { calls, load } = scripted()
  const asker = createAsker<string>()
  asker.ask(load)
  await settle()
  for (let news = 0; news < 10; news++) asker.again()
  await settle()
  expect(calls).toHaveLength(1)
  calls[0]!.end('old')
  await settle()
  expect(asker.state.get()).toMatchObject({ data: 'old', isLoading: true })
  expect(calls).toHaveLength(2)
  calls[1]!.end('new')
  await settle()
  expect(asker.state.get()).toMatchObject({ data: 'new', isLoading: false })
  expect(calls).toHaveLength(2)
})

test('a failure leaves what was known, and ends with the next answer', async () => {
  const { calls, load } = scripted()
  const asker = createAsker<string>()
  asker.ask(load)
  await settle()
  calls[0]!.end('known')
  await settle()
  asker.again()
  await settle()
  calls[1]!.fail(new LibrarianError('Busy', 'Too much to do'))
  await settle()
  expect(asker.state.get()).toMatchObject({ data: 'known', error: { code: 'Busy' } })
  asker.again()
  await settle()
  calls[2]!.end('newer')
  await settle()
  expect(asker.state.get()).toEqual({ data: 'newer', error: undefined, isLoading: false })
})

test('after its end nothing is asked, and nothing that comes is told', async () => {
  const { calls, load } = scripted()
  const asker = createAsker<string>()
  asker.ask(load)
  await settle()
  asker.stop()
  asker.again()
  calls[0]!.end('late')
  await settle()
  expect(calls).toHaveLength(1)
  expect(asker.state.get().data).toBeUndefined()
})
