import { expect, test } from 'vitest'
import { searchWith } from './search-with.ts'

test('searchWith() changes what it is told, and keeps the rest', () => {
  expect(searchWith('?direction=in&state=FAILED', { state: 'ONGOING' })).toBe('?direction=in&state=ONGOING')
  expect(searchWith('?direction=in&state=FAILED', { state: '' })).toBe('?direction=in')
  expect(searchWith('?state=FAILED', { state: undefined })).toBe('')
})

test('searchWith() begins at the first rows again when a condition changes', () => {
  expect(searchWith('?after=77&state=FAILED', { state: 'ONGOING' })).toBe('?state=ONGOING')
  expect(searchWith('?state=FAILED', { after: '77' })).toBe('?state=FAILED&after=77')
})
