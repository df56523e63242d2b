import { expect, test } from 'vitest'
import { countCopies } from './copy-count.ts'

const copy = (state: string | null | undefined, available = true) => ({ state, available })

test('countCopies() counts as good what is in use and not known to be bad', () => {
  const instances = [copy('ok'), copy('never-checked'), copy('mismatch'), copy('missing'), copy('unreadable')]
  expect(countCopies({ instances })).toEqual({ here: 5, good: 2 })
  expect(countCopies({ instances: [copy('ok', false), copy('mismatch', false)] })).toEqual({ here: 0, good: 0 })
})

test('countCopies() believes a librarian that tells no states', () => {
  expect(countCopies({ instances: [copy(undefined), copy(null)] })).toEqual({ here: 2, good: 2 })
})
