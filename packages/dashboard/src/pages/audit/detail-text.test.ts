import { expect, test } from 'vitest'
import { detailText } from './detail-text.ts'

test('detailText() reads the fields of an object, and leaves what it cannot read as it is', () => {
  expect(detailText('{"reason":"wrong disk","copies_needed":2,"evidence":[1]}')).toBe(
    'reason: wrong disk · copies needed: 2 · evidence: [1]',
  )
  expect(detailText('{}')).toBe('')
  expect(detailText('not JSON')).toBe('not JSON')
  expect(detailText('[1,2]')).toBe('[1,2]')
  expect(detailText('null')).toBe('null')
})
