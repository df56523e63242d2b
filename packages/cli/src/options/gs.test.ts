import { expect, test } from 'vitest'
import { gsOptions } from './gs.ts'

test('gsOptions() says nothing unless a flag does', () => {
  expect(gsOptions({})).toBeUndefined()
  expect(gsOptions({ userProject: 'p' })).toEqual({ userProject: 'p' })
  expect(gsOptions({ anonymous: true })).toEqual({ anonymous: true })
})
